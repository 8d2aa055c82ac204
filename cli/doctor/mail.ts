import { Resolver } from 'node:dns/promises'
import { lineTo, readSmtpUrl, refusesTls } from '../../functions/local/smtp-url.ts'
import { senderDomain } from '../../functions/mail/headers.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { type Check, fault, ok, warning } from './check.ts'

/** The part of a DNS resolver that the checks need. */
export interface TextRecords {
  resolveTxt(name: string): Promise<string[][]>
}

/** A resolver that gives up after some seconds instead of a minute. */
export function boundedResolver(): TextRecords {
  return new Resolver({ timeout: 3000, tries: 1 })
}

/** Whether the mail server answers, takes the password and encrypts. */
export async function checkSmtp({ smtpUrl }: Pick<Settings, 'smtpUrl'>): Promise<Check> {
  if (!smtpUrl) {
    return warning(
      'mail server',
      'None is set: mails stay in the outbox of the data folder.',
      'Set BROADSHEET_SMTP_URL=smtps://user:password@mail.example.com to send them.',
    )
  }
  const { hostname, port } = new URL(smtpUrl)
  const server = readSmtpUrl(smtpUrl)
  const { user, password } = server
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    ...lineTo(server, { connectMs: 8000, silenceMs: 8000 }),
    ...(user !== undefined && password !== undefined
      ? // Mails are never sent without the login either, so a server that has none is at fault.
        { auth: { user, pass: password }, forceAuth: true }
      : {}),
  })
  try {
    await transport.verify()
    return ok('mail server', `${hostname} answers`)
  } catch (error) {
    const { code, response } = error as { code?: string; response?: string }
    if (refusesTls(error)) {
      return fault(
        'mail server',
        `${hostname} offers no TLS, and a password never goes over a line that others can read.`,
        `Write smtps:// for its port with TLS (mostly 465), or ask its operator for STARTTLS. Nothing is mailed until then.`,
      )
    }
    const isPassword = code === 'EAUTH'
    return fault(
      'mail server',
      isPassword
        ? `${hostname} refuses the user name or password.`
        : `${hostname}${port ? `:${port}` : ''} does not answer as a mail server (${code ?? response ?? 'no reason given'}).`,
      isPassword
        ? 'Correct BROADSHEET_SMTP_URL; write special characters of the password percent-encoded.'
        : 'Correct host and port in BROADSHEET_SMTP_URL, or open the way in the firewall.',
    )
  } finally {
    transport.close()
  }
}

// Selectors cannot be listed; these are what common mail services use.
const selectors = [
  'default',
  'mail',
  'dkim',
  'selector1',
  'selector2',
  's1',
  's2',
  'k1',
  'k2',
  'google',
  'smtp',
  'fm1',
  'mta',
  'key1',
]

/** Whether receivers can tell that mail from the sender's domain is genuine: SPF, DKIM and DMARC. */
export async function checkDomain(
  { mail }: Pick<Settings, 'mail'>,
  dns: TextRecords,
): Promise<Check[]> {
  const domain = senderDomain({ mail })
  if (!domain) return []
  const [spf, dmarc, dkim] = await Promise.all([
    textsAt(dns, domain),
    checkDmarc(domain, dns),
    Promise.all(selectors.map((selector) => textsAt(dns, `${selector}._domainkey.${domain}`))),
  ])
  if (spf === 'unreachable' || dmarc.name === 'DNS') return [unreachable(domain)]
  return [spfCheck(domain, spf), dkimCheck(domain, dkim), dmarc]
}

/**
 * The domain and those above it, the nearest first, without the last label: what is said of a domain
 * holds for those below it that say nothing themselves.
 */
export function domainAndParents(domain: string): string[] {
  const labels = domain.split('.')
  const own =
    labels.length < 2 ? [domain] : labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'))
  return own.slice(0, mostParents)
}

/** No sender lies deeper, and each is a question to a name server. */
const mostParents = 8

/**
 * The policy that receivers find for mail of the domain: its own, or that of the nearest domain above
 * it that has one (RFC 7489 §6.6.3 asks the organisation's).
 */
export async function checkDmarc(domain: string, dns: TextRecords): Promise<Check> {
  for (const at of domainAndParents(domain)) {
    const texts = await textsAt(dns, `_dmarc.${at}`)
    if (texts === 'unreachable') return unreachable(domain)
    if (texts.some((text) => /^v=DMARC1\s*;/i.test(text))) {
      return ok(
        'DMARC',
        at === domain ? `${domain} has a policy` : `${at} has a policy for ${domain}`,
      )
    }
  }
  return fault(
    'DMARC',
    `${domain} has no DMARC policy; large mailbox providers refuse bulk mail without one.`,
    `Add a TXT record at _dmarc.${domain}: "v=DMARC1; p=none; rua=mailto:postmaster@${domain}" (RFC 7489).`,
  )
}

function unreachable(domain: string): Check {
  return warning(
    'DNS',
    `The records of ${domain} could not be looked up.`,
    'Run this again where name servers can be reached.',
  )
}

function spfCheck(domain: string, texts: readonly string[]): Check {
  const records = texts.filter((text) => /^v=spf1(\s|$)/i.test(text))
  if (records.length === 0) {
    return fault(
      'SPF',
      `${domain} does not say which servers may send its mail.`,
      `Add a TXT record at ${domain}: "v=spf1 include:YOUR-MAIL-SERVICE ~all" (RFC 7208).`,
    )
  }
  if (records.length > 1) {
    return fault(
      'SPF',
      `${domain} has ${records.length} SPF records; receivers then ignore all of them.`,
      'Merge them into one TXT record (RFC 7208 §4.5).',
    )
  }
  return ok('SPF', `${domain} names its servers`)
}

function dkimCheck(domain: string, found: readonly (string[] | 'unreachable')[]): Check {
  const at = found.findIndex((texts) => texts !== 'unreachable' && texts.some(isDkimKey))
  if (at >= 0) return ok('DKIM', `a key stands at ${selectors[at]}._domainkey.${domain}`)
  return warning(
    'DKIM',
    `No key of ${domain} stands under the usual selectors.`,
    'Turn on DKIM at your mail service and add the record it shows. If it uses a selector of its own, all is well.',
  )
}

function isDkimKey(text: string): boolean {
  return /(^|;)\s*p=\s*[A-Za-z0-9+/]/.test(text)
}

/** Absence is an empty list; a name server that does not answer is told apart from it. */
async function textsAt(dns: TextRecords, name: string): Promise<string[] | 'unreachable'> {
  try {
    return (await dns.resolveTxt(name)).map((parts) => parts.join(''))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENODATA' || code === 'ENOTFOUND' ? [] : 'unreachable'
  }
}
