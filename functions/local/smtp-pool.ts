import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SmtpServer } from './smtp-url.ts'

/** An open, logged-in connection. */
export interface SmtpSession {
  readonly connection: SMTPConnection
  /** Messages sent over it before; a kept connection may have been closed by the server unnoticed. */
  messages: number
}

export interface SmtpPool {
  /**
   * Waits for a free connection or opens one, at most as long as connecting may take. What is urgent
   * gets the next one, before all that wait.
   */
  acquire(isUrgent?: boolean): Promise<SmtpSession>
  /** Gives it back for the next message. */
  release(session: SmtpSession): void
  /** Closes it: after a fault its state is not known. */
  discard(session: SmtpSession): void
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
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = []
  const waiting: (() => void)[] = []
  const sessions = new Set<SmtpSession>()
  let open = 0
  let isClosed = false

  async function acquire(isUrgent = false): Promise<SmtpSession> {
    const kept = takeIdle()
    if (kept) return kept
    if (open >= maxConnections) {
      await new Promise<void>((resolve) => {
        if (isUrgent) waiting.unshift(resolve)
        else waiting.push(resolve)
      })
      return acquire(isUrgent)
    }
    open++
    try {
      return await openSession()
    } catch (error) {
      ended()
      throw error
    }
  }

  function takeIdle(): SmtpSession | undefined {
    const kept = idle.pop()
    clearTimeout(kept?.timer)
    return kept?.session
  }

  async function openSession(): Promise<SmtpSession> {
    if (isClosed) throw new Error('the mailer is closed')
    // Loaded with the first mail: an idle server needs none of it.
    const { default: Connection } = await import('nodemailer/lib/smtp-connection')
    const connection = new Connection({
      host: server.host,
      port: server.port,
      secure: server.isSecure,
      requireTLS: server.requiresTls,
      connectionTimeout: options.connectMs,
      greetingTimeout: options.connectMs,
      dnsTimeout: options.connectMs,
      socketTimeout: options.silenceMs,
      maxResponseSize: 64 * 1024,
      // A certificate proves nothing on loopback that the address does not.
      tls: { rejectUnauthorized: !server.isLoopback, minVersion: 'TLSv1.2' },
    })
    const session: SmtpSession = { connection, messages: 0 }
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

  // One fewer is open: whoever waits may open another.
  function ended(): void {
    open--
    waiting.shift()?.()
  }

  function release(session: SmtpSession): void {
    session.messages++
    if (!sessions.has(session)) return
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
    waiting.shift()?.()
  }

  return {
    acquire,
    release,
    discard: (session) => session.connection.close(),
    close: () => {
      isClosed = true
      for (const { session, timer } of idle.splice(0)) {
        clearTimeout(timer)
        session.connection.quit()
      }
    },
  }
}
