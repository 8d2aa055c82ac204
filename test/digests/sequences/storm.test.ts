import fc from 'fast-check'
import { expect, it } from 'vitest'
import { beginnings, stormySteps } from './newsroom-steps.ts'
import { storm } from './storm.ts'

it('whatever fails, each owed post comes once, and the books know it', {
  timeout: 3_600_000,
}, async () => {
  // Each takes five times as long as one where nothing fails.
  const numRuns = Math.ceil(Number(process.env.BROADSHEET_SEQUENCES ?? 200) / 5)
  const report = await fc.check(
    fc.asyncProperty(fc.constantFrom(...beginnings), stormySteps, async (begin, steps) => {
      const days = await storm(begin)
      try {
        await days.play(steps)
      } finally {
        await days.close()
      }
    }),
    { numRuns, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )
  expect(report.failed, await fc.asyncDefaultReportMessage(report)).toBe(false)
})
