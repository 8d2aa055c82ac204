import { ServiceError } from '../errors.ts'
import { isLoopback as isLoopbackHost } from '../is-loopback.ts'

export interface SmtpServer {
  host: string
  port: number
  /** TLS from the first byte (`smtps://`). */
  isSecure: boolean
  /** STARTTLS or nothing: a password never goes over a line that others can read. */
  requiresTls: boolean
  isLoopback: boolean
  user?: string
  password?: string
}

/**
 * Reads `smtp://user:password@host:port` (port 587) or `smtps://…` (port 465).
 *
 * @throws ServiceError `smtp.url`, without repeating what may hold a password.
 */
export function readSmtpUrl(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new ServiceError(
      500,
      'smtp.url',
      'The SMTP address cannot be read. It looks like `smtp://user:password@mail.example:587` or `smtps://…`, with special characters of the password percent-encoded.',
    )
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isSecure = url.protocol === 'smtps:'
  const isLoopback = isLoopbackHost(host)
  const user = decode(url.username)
  const password = decode(url.password)
  if ((user === '') !== (password === '')) {
    throw new ServiceError(
      500,
      'smtp.url',
      'The SMTP address has a user without a password, or the other way round. Give both or neither.',
    )
  }
  return {
    host,
    port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
    isSecure,
    requiresTls: !isSecure && password !== '' && !isLoopback,
    isLoopback,
    ...(password === '' ? {} : { user, password }),
  }
}

/**
 * How nodemailer connects to it. Whoever opens a line goes by this, for it keeps the password off a
 * line without TLS.
 */
export function lineTo(
  server: SmtpServer,
  { connectMs, silenceMs }: { connectMs: number; silenceMs: number },
) {
  return {
    host: server.host,
    port: server.port,
    secure: server.isSecure,
    requireTLS: server.requiresTls,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    // A certificate proves nothing on loopback that the address does not.
    tls: { rejectUnauthorized: !server.isLoopback, minVersion: 'TLSv1.2' },
  } as const
}

/** Whether a connection failed because the server answered no to STARTTLS. */
export function refusesTls(error: unknown): boolean {
  const { code, response } = error as { code?: unknown; response?: unknown }
  return code === 'ETLS' && typeof response === 'string'
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
