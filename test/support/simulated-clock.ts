import type { RealClock } from '../../functions/real-clock.ts'

/** A clock whose time passes only when everything waits for it: hours of pace in a moment. */
export interface SimulatedClock extends RealClock {
  /** Lets time pass until `work` has ended. */
  runUntil<T>(work: Promise<T>): Promise<T>
}

export function simulatedClock(start = Date.parse('2026-03-02T08:00:00Z')): SimulatedClock {
  let present = start
  // A heap by instant; equal instants in the order in which they were asked for.
  const heap: { at: number; n: number; resolve: () => void }[] = []
  let asked = 0
  const before = (a: number, b: number) => {
    const [x, y] = [heap[a], heap[b]]
    return x !== undefined && y !== undefined && (x.at < y.at || (x.at === y.at && x.n < y.n))
  }
  const swap = (a: number, b: number) => {
    const kept = heap[a] as (typeof heap)[0]
    heap[a] = heap[b] as (typeof heap)[0]
    heap[b] = kept
  }

  function push(at: number, resolve: () => void): void {
    heap.push({ at, n: asked++, resolve })
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!before(i, parent)) break
      swap(i, parent)
      i = parent
    }
  }

  function pop(): { at: number; resolve: () => void } | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2]
      let least = i
      if (before(left, least)) least = left
      if (before(right, least)) least = right
      if (least === i) return first
      swap(i, least)
      i = least
    }
  }

  return {
    now: () => present,
    sleep: (ms) =>
      ms > 0 ? new Promise((resolve) => push(present + ms, resolve)) : Promise.resolve(),
    async runUntil(work) {
      let isOver = false
      const ending = work.finally(() => {
        isOver = true
      })
      ending.catch(() => {})
      for (;;) {
        // What is ready goes on first.
        await new Promise((resolve) => setImmediate(resolve))
        if (isOver) return ending
        const next = pop()
        if (!next) continue
        present = Math.max(present, next.at)
        next.resolve()
      }
    },
  }
}
