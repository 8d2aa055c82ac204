/**
 * What should have moved and has not for so long, milliseconds, is taken up by a tick: its job was
 * lost, or its worker died. Work ends within a minute, and what is merely slow comes to no harm.
 */
export const standsStillMs = 120_000

/**
 * Whether what last moved then (RFC 3339) stands still. Either way: after a clock was set back,
 * what moved in the future would stand for long.
 */
export function standsStill(at: string | Date, now: Date): boolean {
  return !(Math.abs(now.getTime() - new Date(at).getTime()) < standsStillMs)
}
