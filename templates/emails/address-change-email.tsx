import type { Settings } from '../../functions/settings/settings.ts'
import { messagesFor } from '../locales/index.ts'
import type { Email } from './email.ts'
import { noticeEmail } from './notice-email.tsx'

/** Goes to the new address, which takes the place of the old one once it is confirmed there. */
export function addressChangeEmail(input: {
  settings: Settings
  locale: string
  confirmUrl: string
}): Email {
  const { settings, locale, confirmUrl } = input
  const { mail } = messagesFor(locale)
  const { title } = settings.site
  return noticeEmail({
    settings,
    locale,
    subject: mail.addressSubject(title),
    lead: mail.addressLead(title),
    button: mail.addressButton,
    url: confirmUrl,
    ignore: mail.addressIgnore,
  })
}
