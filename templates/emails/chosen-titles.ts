import { formatList } from '../locales/format.ts'
import type { Messages } from '../locales/messages.ts'
import { cutToBytes } from './display-width.ts'

const most = 8

/** The categories that a reader chose, as part of a sentence; empty for everything. */
export function chosenTitles(m: Messages, titles: readonly string[]): string {
  const shown = titles.slice(0, most).map((title) => cutToBytes(title, 100))
  if (titles.length <= most) return formatList(m.locale, shown)
  const separator = m.locale.startsWith('zh') || m.locale.startsWith('ja') ? '、' : ', '
  return m.mail.andOthers(shown.join(separator), titles.length - most)
}
