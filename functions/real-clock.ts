/**
 * The clock that mail servers and providers go by, whatever instant a tick by hand stands at. Only
 * pace and time budgets use it; everything that is due, leased or kept follows `platform.now()`.
 */
export interface RealClock {
  /** Milliseconds since 1970, the same in all processes. */
  now(): number
  /** Resolves after so many milliseconds; at once for none. */
  sleep(ms: number): Promise<void>
}

export const realClock: RealClock = {
  // Not `performance.now()`: it stands still while a function is frozen between two calls.
  now: () => Date.now(),
  sleep: (ms) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve()),
}
