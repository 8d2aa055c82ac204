import { isIP } from 'node:net'
import { ServiceError } from '../errors.ts'

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

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function isLoopbackHost(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost')
}
