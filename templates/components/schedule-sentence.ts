import type { Cadence } from '../../functions/subscribers/subscriber.ts'
import { weekdayName, weekdays } from '../locales/format.ts'
import type { Messages, MonthPosition } from '../locales/messages.ts'

const positions: readonly MonthPosition[] = ['first', 'last']

/** `mon`, `15` or `first-mon` in words; what is none of them as it stands. */
export function dayName(m: Messages, day: string): string {
  const [which, named] = day.includes('-') ? day.split('-') : [undefined, day]
  const position = positions.find((known) => known === which)
  const weekday = weekdays.find((known) => known === named)
  if (weekday && (position || which === undefined)) {
    const name = weekdayName(m.locale, weekday)
    return position ? m.monthWeekday(position, name) : name
  }
  const number = Number(day)
  return Number.isInteger(number) && number > 0 ? m.monthDay(number) : day
}

/** When mail comes, as a sentence in the reader's language. */
export function scheduleSentence(
  m: Messages,
  choice: { cadence: Cadence; day?: string; at: string; timeZone: string },
): string {
  const { cadence, at, timeZone } = choice
  const day = dayName(m, choice.day ?? (cadence === 'monthly' ? '1' : 'mon'))
  return m.schedule({ cadence, day, at, timeZone: timeZone.replaceAll('_', ' ') })
}
