import type { Settings } from '../../functions/settings/settings.ts'
import { messagesFor } from '../locales/index.ts'
import type { Email } from './email.ts'
import { noticeEmail } from './notice-email.tsx'

/** For a confirmed address that was entered again: the way to its preferences. */
export function preferencesLinkEmail(input: {
  settings: Settings
  locale: string
  preferencesUrl: string
}): Email {
  const { settings, locale, preferencesUrl } = input
  const { mail } = messagesFor(locale)
  const { title } = settings.site
  return noticeEmail({
    settings,
    locale,
    subject: mail.preferencesSubject(title),
    lead: mail.preferencesLead(title),
    button: mail.preferencesButton,
    url: preferencesUrl,
    ignore: mail.preferencesIgnore,
  })
}
