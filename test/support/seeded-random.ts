/** Numbers that a seed decides, so that what was found can be found again (mulberry32). */
export function randomFrom(seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    /** From 0 up to 1. */
    next,
    /** A whole number from 0 up to `n`, `n` left out. */
    below: (n: number) => Math.floor(next() * n),
  }
}

export type Random = ReturnType<typeof randomFrom>

/** `BROADSHEET_SEED`, or one of this moment; printed, so that a failure can be repeated. */
export function seedOf(name: string): number {
  const seed = Number(process.env.BROADSHEET_SEED ?? Date.now() % 2 ** 31)
  console.log(`${name}: BROADSHEET_SEED=${seed}`)
  return seed
}
