import { Readable } from 'node:stream'
import { noRoom } from '../no-room.ts'
import type { Mailer, OutgoingMessage, SendOutcome } from '../platform.ts'
import { outcomeOf, type SmtpFailure, type SmtpStage } from './smtp-answer.ts'
import { type SmtpSession, smtpPool } from './smtp-pool.ts'
import { readSmtpUrl, refusesTls } from './smtp-url.ts'

export interface SmtpMailerOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. */
  url: string
  now: () => Date
  /** @default 5 */
  maxConnections?: number
  /** For a whole send once it has a connection, and for connecting; under half a lease. @default 60 */
  timeoutSeconds?: number
}

export interface SmtpMailer extends Mailer {
  /** The same connections by another clock. */
  at(now: () => Date): Mailer
  /** The content of no further message leaves, for the process is about to end; what left is answered for. */
  windDown(): void
  close(): void
}

/**
 * Mails by SMTP. The irreversible step is the message's content: when the server has said that it
 * may come, `leave` is waited for and `until` looked at, and whatever breaks before that is
 * `deferred`. What breaks after it without an answer is `unclear`, and nothing can tell later
 * (`evidence`).
 *
 * A kept connection that turns out to be closed before the content is replaced once; nothing else
 * is tried twice.
 *
 * @throws ServiceError `smtp.url`
 */
export function smtpMailer(options: SmtpMailerOptions): SmtpMailer {
  const { timeoutSeconds = 60 } = options
  const server = readSmtpUrl(options.url)
  const pool = smtpPool(server, {
    ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
    connectMs: (timeoutSeconds * 1000) / 2,
    silenceMs: timeoutSeconds * 1000,
  })

  let isEnding = false
  const ending: SendOutcome = {
    status: 'deferred',
    reason: 'the service stops',
    retryAfterSeconds: 1,
  }

  async function send(
    message: OutgoingMessage,
    isTooLate: () => boolean,
    mayLeave: () => Promise<boolean>,
    mayReplace = true,
  ): Promise<SendOutcome> {
    if (isEnding) return ending
    const tooLate: SendOutcome = { status: 'deferred', reason: 'too late', retryAfterSeconds: 60 }
    if (isTooLate()) return tooLate
    let session: SmtpSession
    try {
      session = await pool.acquire(message.kind === 'transactional')
    } catch (error) {
      if (isEnding) return ending
      // The server's own words, such as "500 command not recognized", do not say what was asked.
      if (refusesTls(error)) {
        const reason = 'the mail server offers no TLS, without which no password is sent'
        return { status: 'deferred', reason, retryAfterSeconds: 300 }
      }
      return outcomeOf({ ...faultOf(error), stage: 'connecting' }, message.to)
    }
    // While it waited for the connection, which is good for the next one.
    if (isTooLate()) {
      pool.release(session)
      return tooLate
    }
    const attempt = await transmit(session, message, { isTooLate, mayLeave }, timeoutSeconds * 1000)
    if (attempt.error === undefined) {
      pool.release(session)
      return { status: 'sent', ...attempt.sent }
    }
    if (attempt.error === 'too late' || attempt.error === 'no room') {
      pool.discard(session)
      if (isEnding) return ending
      return attempt.error === 'no room' ? noRoom : tooLate
    }
    const failure = { ...faultOf(attempt.error), stage: attempt.stage }
    if (failure.response === undefined || failure.response.startsWith('421')) {
      pool.discard(session)
      const isStale = attempt.stage === 'envelope' && session.messages > 0
      if (isStale && mayReplace && failure.response === undefined) {
        return send(message, isTooLate, mayLeave, false)
      }
    } else if (await isReset(session)) pool.release(session)
    else pool.discard(session)
    return outcomeOf(failure, message.to)
  }

  const at = (now: () => Date): Mailer => ({
    name: 'smtp',
    send: (message, until, leave) =>
      send(message, () => isEnding || now().getTime() > until.getTime(), once(leave)),
    // Nothing in SMTP tells what the provider allows.
    quota: async () => ({}),
    evidence: async () => 'cannot tell',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: false,
  })
  const windDown = (): void => {
    isEnding = true
    pool.turnAway()
  }
  return { ...at(options.now), at, windDown, close: pool.close }
}

/** A connection that is replaced meanwhile does not ask again. */
function once(leave: () => Promise<boolean> = async () => true): () => Promise<boolean> {
  let asked: Promise<boolean> | undefined
  return () => {
    asked ??= leave()
    return asked
  }
}

interface Attempt {
  stage: SmtpStage
  sent?: { providerId?: string }
  error?: unknown
}

/** One message over one connection; resolves exactly once, also when the server never answers. */
function transmit(
  { connection }: SmtpSession,
  message: OutgoingMessage,
  { isTooLate, mayLeave }: { isTooLate: () => boolean; mayLeave: () => Promise<boolean> },
  timeoutMs: number,
): Promise<Attempt> {
  return new Promise((resolve) => {
    let stage: SmtpStage = 'envelope'
    let turnedBack: unknown
    let isAsked = false
    let isOver = false
    const finish = (attempt: Omit<Attempt, 'stage'>) => {
      isOver = true
      clearTimeout(timer)
      resolve({ stage, ...attempt })
    }
    const timer = setTimeout(() => {
      finish({ error: new Error('it took too long') })
      connection.close()
    }, timeoutMs)

    // Read from only when the server has answered 354 to DATA: the last instant to turn back.
    const content = new Readable({
      read() {
        if (isAsked) return
        isAsked = true
        void goOn()
      },
    })

    async function goOn(): Promise<void> {
      try {
        if (!(await mayLeave())) turnedBack = 'no room'
        else if (isTooLate()) turnedBack = 'too late'
      } catch (error) {
        turnedBack = error
      }
      // The line broke meanwhile, and that was told.
      if (isOver) return
      if (turnedBack !== undefined) {
        // At once: not every fault of the content is told by the connection, which is closed now.
        finish({ error: turnedBack })
        content.destroy()
        return
      }
      stage = 'content'
      content.push(message.raw)
      content.push(null)
    }

    connection.send(
      {
        from: message.from,
        to: [message.to],
        size: message.raw.length,
        dsn: dsnOf(message.deliveryId),
      },
      content,
      (error, info) => {
        if (turnedBack !== undefined) finish({ error: turnedBack })
        else if (error) finish({ error })
        else finish({ sent: providerIdOf(info?.response) })
      },
    )
  })
}

/**
 * What a report on the mail shall carry (RFC 3461), where the server knows how: the delivery's id,
 * by which the report is recognised, and the headers instead of the whole mail.
 */
function dsnOf(deliveryId: string) {
  // An envelope's id has at most 100 characters (§4.4).
  return deliveryId.length <= 100
    ? ({ ret: 'HDRS', envid: deliveryId } as const)
    : ({ ret: 'HDRS' } as const)
}

const resetMs = 5000

/** Whether the line is ready for the next message after one that was refused. */
function isReset({ connection }: SmtpSession): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), resetMs)
    connection.reset((error) => {
      clearTimeout(timer)
      resolve(!error)
    })
  })
}

/** What the server called the message, for its operator's search: `250 2.0.0 Ok: queued as 4F3A`. */
function providerIdOf(response: string | undefined): { providerId?: string } {
  const id =
    /\bqueued as <?([\w.@+-]{4,100})/i.exec(response ?? '') ??
    /\bid=<?([\w.@+-]{4,100})/i.exec(response ?? '') ??
    /^250 (?:2\.\d\.\d )?Ok:? <?([\w.@+-]{4,100})/i.exec(response ?? '')
  return id?.[1] === undefined ? {} : { providerId: id[1] }
}

function faultOf(error: unknown): Omit<SmtpFailure, 'stage'> {
  if (!(error instanceof Error)) return { fault: 'unknown fault' }
  const { response, code, originalCode, command } = error as {
    response?: unknown
    code?: unknown
    originalCode?: unknown
    command?: unknown
  }
  if (typeof response !== 'string') {
    // Found out before a byte was sent, but final like an answer: this server will never take it.
    if (code === 'EMESSAGE')
      return { response: '552 5.3.4 larger than the server takes', fault: '' }
    if (code === 'EENVELOPE') {
      return { response: '550 5.6.7 the server cannot take such an address', fault: '' }
    }
  }
  const name = [originalCode ?? code, command].filter((part) => typeof part === 'string').join(' ')
  return {
    ...(typeof response === 'string' && response !== '' ? { response } : {}),
    fault: name || 'the connection failed',
    ...(command === 'MAIL FROM' ? { isAboutSender: true } : {}),
  }
}
