import type { WarmUp } from '../settings/settings.ts'

const dayMs = 86_400_000

/**
 * Mails that a ramp allows in 24 hours at an instant: the first day's number, grown with each day
 * since. `undefined` without a ramp, and once it has grown past all that anybody sends.
 */
export function warmUpPerDay(warmUp: WarmUp | undefined, now: Date): number | undefined {
  if (!warmUp) return undefined
  const { from, perDay, growth } = warmUp
  const days = Math.floor((now.getTime() - Date.parse(`${from}T00:00:00Z`)) / dayMs)
  const allowed = Math.floor(perDay * growth ** Math.max(0, days))
  return Number.isSafeInteger(allowed) ? allowed : undefined
}
