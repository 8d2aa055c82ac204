import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

/**
 * After every request to subscribe, or to change the address, whether or not the address was known.
 */
export function checkInboxPage({
  settings,
  locale,
  isChange = false,
}: PageContext & { isChange?: boolean }): string {
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.checkInbox.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.checkInbox.title}</h1>
        <p class="lead">{isChange ? m.checkInbox.change : m.checkInbox.lead}</p>
        <p class="lead">{m.checkInbox.nothing}</p>
      </>
    ),
  })
}
