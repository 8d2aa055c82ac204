import { isLoopback } from '../../functions/is-loopback.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { type Check, fault, ok, warning } from './check.ts'

/** Whether the base URL can stand in feeds and mails that others read. */
export function checkBaseUrl({ site, smtpUrl }: Pick<Settings, 'site' | 'smtpUrl'>): Check {
  const url = new URL(site.baseUrl)
  const fix =
    'Set `site.baseUrl` in broadsheet.yaml (or BROADSHEET_BASE_URL) to where people reach it.'
  if (isLoopback(url.hostname)) {
    return smtpUrl
      ? fault(
          'base URL',
          `Mails leave, but their links lead to this machine (${site.baseUrl}).`,
          fix,
        )
      : warning('base URL', `Only this machine can open ${site.baseUrl}.`, fix)
  }
  if (url.protocol !== 'https:') {
    return warning(
      'base URL',
      `${site.baseUrl} is not encrypted: readers' links and addresses travel in the open.`,
      'Put a proxy with a certificate in front (Caddy, nginx) and begin the base URL with https://.',
    )
  }
  return ok('base URL', site.baseUrl)
}

/** What every mail should say, and settings that do not work yet. */
export function checkSettings({ mail, sources, smtpUrl }: Settings): Check[] {
  const checks: Check[] = []
  if (smtpUrl && !mail.from) {
    checks.push(
      fault(
        'sender',
        'BROADSHEET_SMTP_URL is set, but nobody is named who the mails come from.',
        'Set `mail.from` in broadsheet.yaml: from: The Gazette <news@example.com>',
      ),
    )
  }
  if (smtpUrl && !mail.postalAddress) {
    checks.push(
      warning(
        'postal address',
        'Mails carry no postal address; many countries require one.',
        'Set `mail.postalAddress` in broadsheet.yaml.',
      ),
    )
  }
  if (sources.length > 0) {
    checks.push(
      warning(
        'sources',
        '`sources` are read but not yet fetched by this version.',
        'Publish those posts by `import`, the inbox or the API until then.',
      ),
    )
  }
  return checks
}
