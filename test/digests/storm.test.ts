import fc from 'fast-check'
import { it } from 'vitest'
import { beginnings, stormySteps } from './newsroom-steps.ts'
import { storm } from './storm.ts'

it('whatever fails, each owed post comes once, and the books know it', {
  timeout: 3_600_000,
}, async () => {
  const numRuns = Number(process.env.BROADSHEET_SEQUENCES ?? 100)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...beginnings), stormySteps, async (begin, steps) => {
      const days = await storm(begin)
      try {
        await days.play(steps)
      } finally {
        if (process.env.STATS) console.log('STAT', days.sent.length, steps.length)
        await days.close()
      }
    }),
    { numRuns, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )
})
