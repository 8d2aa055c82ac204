import { isRealDay } from '../functions/is-real-day.ts'
import { usageError } from './exit.ts'

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * An instant as somebody types it: RFC 3339, or so long after now as `+7d` (`m`, `h`, `d`, `w`).
 *
 * @returns RFC 3339 in UTC
 */
export function instantOf(text: string, now = new Date()): string {
  const ahead = /^\+(\d{1,5})([mhdw])$/.exec(text)
  if (ahead) {
    const ms = Number(ahead[1]) * units[ahead[2] as keyof typeof units]
    return new Date(now.getTime() + ms).toISOString()
  }
  // Without a zone it would mean another instant on each machine.
  const isWhole = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const instant = new Date(text)
  if (!isWhole || Number.isNaN(instant.getTime()) || !isRealDay(text)) {
    throw usageError(
      `\`${text}\` is no instant. Write it like 2026-03-09T08:00:00Z, or +7d for a week ahead.`,
    )
  }
  return instant.toISOString()
}
