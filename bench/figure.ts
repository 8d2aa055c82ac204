/** One line of the result. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What it is measured against, in the same run. */
  baseline?: { name: string; value: number }
  /** `value` by the baseline's, the way in which more is better or less, as the name says. */
  ratio?: number
  /** What to aim at, for people; nothing fails by it. */
  aim?: string
}

export interface BenchOptions {
  posts: number
  sizes: readonly number[]
  readers: number
  /** Numbers of readers. */
  audiences: readonly number[]
}

export type Part = (options: BenchOptions) => Promise<Figure[]>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Milliseconds of a piece of work. */
export async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** The most memory that this process has had at once, MB. */
export function peakMegabytes(): number {
  return process.resourceUsage().maxRSS / 1024
}
