import type { Settings } from '../../functions/settings/settings.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import { scheduleSentence } from '../components/schedule-sentence.ts'
import { messagesFor } from '../locales/index.ts'
import { chosenTitles } from './chosen-titles.ts'
import type { Email } from './email.ts'
import { styles } from './email-layout.tsx'
import { noticeEmail } from './notice-email.tsx'

/** Asks the owner of an address whether they want the mail that was asked for in their name. */
export function confirmationEmail(input: {
  settings: Settings
  locale: string
  confirmUrl: string
  preferences: Preferences
  /** What was chosen; empty means everything. */
  categoryTitles: readonly string[]
}): Email {
  const { settings, locale, preferences, categoryTitles } = input
  const m = messagesFor(locale)
  const categories = chosenTitles(m, categoryTitles) || m.mail.everything
  const schedule = scheduleSentence(m, preferences)
  return noticeEmail({
    settings,
    locale,
    subject: m.mail.confirmSubject(settings.site.title),
    lead: m.mail.confirmLead(settings.site.title),
    details: {
      html: (
        <>
          <p class="quiet" style={`margin:20px 0 0;${styles.small}`}>
            {m.mail.confirmWhat}
          </p>
          <p class="ink" style={`${styles.text};margin-top:2px`}>
            {categories}
            <br />
            {schedule}
          </p>
        </>
      ),
      text: `${m.mail.label(m.mail.confirmWhat)}\n${categories}\n${schedule}`,
    },
    button: m.mail.confirmButton,
    url: input.confirmUrl,
    ignore: m.mail.confirmIgnore,
  })
}
