import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { lineTo, type SmtpServer } from './smtp-url.ts'

/** An open, logged-in connection. */
export interface SmtpSession {
  readonly connection: SMTPConnection
  /** Messages sent over it before; a kept connection may have been closed by the server unnoticed. */
  messages: number
  /** Whether what it carries now is urgent. */
  isUrgent: boolean
}

export interface SmtpPool {
  /**
   * Waits for a free connection or opens one, at most as long as connecting may take. One is never
   * given but to what is urgent: ten mails that the server takes slowly hold up no confirmation.
   */
  acquire(isUrgent?: boolean): Promise<SmtpSession>
  /** Gives it back for the next message. */
  release(session: SmtpSession): void
  /** Closes it: after a fault its state is not known. */
  discard(session: SmtpSession): void
  /** Fails whoever waits for a connection, or asks for one from now on. */
  turnAway(): void
  close(): void
}

export interface SmtpPoolOptions {
  /** @default 5 */
  maxConnections?: number
  connectMs: number
  silenceMs: number
}

const idleMs = 5000
/** What a server is sent over one connection; some refuse more. */
const mostMessages = 100

/**
 * Connections kept for some messages. nodemailer's own pool is not used: it sends a message again
 * by itself when a connection breaks, also after the content went out.
 */
export function smtpPool(server: SmtpServer, options: SmtpPoolOptions): SmtpPool {
  const { maxConnections = 5 } = options
  /** The last one is kept for what is urgent, and opened when that comes. */
  const mostOrdinary = Math.max(1, maxConnections - 1)
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = []
  const urgent: (() => void)[] = []
  const ordinary: (() => void)[] = []
  const sessions = new Set<SmtpSession>()
  let open = 0
  /** Connections that carry what is not urgent, those being opened for it included. */
  let ordinaryInUse = 0
  let isClosed = false
  let turnsAway = false

  async function acquire(isUrgent = false): Promise<SmtpSession> {
    while (
      !turnsAway &&
      (!(isUrgent || ordinaryInUse < mostOrdinary) || !(idle.length > 0 || open < maxConnections))
    ) {
      await new Promise<void>((resolve) => (isUrgent ? urgent : ordinary).push(resolve))
    }
    if (turnsAway) throw new Error('nothing more leaves')
    if (!isUrgent) ordinaryInUse++
    const kept = takeIdle()
    if (kept) return Object.assign(kept, { isUrgent })
    open++
    try {
      return await openSession(isUrgent)
    } catch (error) {
      if (!isUrgent) ordinaryInUse--
      ended()
      throw error
    }
  }

  /** One place more is free: whoever waits may have it. */
  function wake(): void {
    const next = urgent.shift() ?? (ordinaryInUse < mostOrdinary ? ordinary.shift() : undefined)
    next?.()
  }

  function takeIdle(): SmtpSession | undefined {
    const kept = idle.pop()
    clearTimeout(kept?.timer)
    return kept?.session
  }

  async function openSession(isUrgent: boolean): Promise<SmtpSession> {
    if (isClosed) throw new Error('the mailer is closed')
    // Loaded with the first mail: an idle server needs none of it.
    const { default: Connection } = await import('nodemailer/lib/smtp-connection')
    const connection = new Connection({
      ...lineTo(server, options),
      maxResponseSize: 64 * 1024,
    })
    const session: SmtpSession = { connection, messages: 0, isUrgent }
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject)
      connection.connect((error) => (error ? reject(error) : resolve()))
    })
    // What breaks later is told to the send that is under way; with none it is only an end.
    connection.on('error', () => {})
    const { user, password } = server
    if (user !== undefined && password !== undefined) {
      try {
        await new Promise<void>((resolve, reject) => {
          connection.once('error', reject)
          connection.login({ credentials: { user, pass: password } }, (error) =>
            error ? reject(error) : resolve(),
          )
        })
      } catch (error) {
        connection.close()
        throw error
      }
    }
    sessions.add(session)
    connection.once('end', () => {
      const at = idle.findIndex((one) => one.session === session)
      if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer)
      if (sessions.delete(session)) ended()
    })
    return session
  }

  function ended(): void {
    open--
    wake()
  }

  function release(session: SmtpSession): void {
    session.messages++
    if (!session.isUrgent) ordinaryInUse--
    if (!sessions.has(session)) return wake()
    if (isClosed || session.messages >= mostMessages) {
      session.connection.quit()
      return
    }
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((one) => one.session === session),
        1,
      )
      session.connection.quit()
    }, idleMs)
    timer.unref()
    idle.push({ session, timer })
    wake()
  }

  return {
    acquire,
    release,
    discard: (session) => {
      if (!session.isUrgent) ordinaryInUse--
      session.connection.close()
      wake()
    },
    turnAway: () => {
      turnsAway = true
      for (const wakened of [...urgent.splice(0), ...ordinary.splice(0)]) wakened()
    },
    close: () => {
      isClosed = true
      for (const { session, timer } of idle.splice(0)) {
        clearTimeout(timer)
        session.connection.quit()
      }
    },
  }
}
