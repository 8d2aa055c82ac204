import fc from 'fast-check'
import { it } from 'vitest'
import { playCalmDays } from './calm-days.ts'
import { beginnings, calmSteps } from './newsroom-steps.ts'

it('each owed post reaches each reader once, and nothing else does', {
  timeout: 3_600_000,
}, async () => {
  const numRuns = Number(process.env.BROADSHEET_SEQUENCES ?? 200)
  await fc.assert(fc.asyncProperty(fc.constantFrom(...beginnings), calmSteps, playCalmDays), {
    numRuns,
    ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}),
  })
})
