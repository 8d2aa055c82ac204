import type { Messages } from '../locales/messages.ts'

/** What an issue is called wherever it is named: by its newest post, and how many more are in it. */
export function issueName(m: Messages, newestTitle: string, count: number): string {
  return count > 1 ? m.mail.subjectMore(newestTitle, count - 1) : newestTitle
}
