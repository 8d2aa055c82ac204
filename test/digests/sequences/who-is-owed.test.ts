import fc from 'fast-check'
import { describe, it } from 'vitest'
import { playCalmDays } from './calm-days.ts'
import { beginnings, calmSteps, refusedSteps } from './newsroom-steps.ts'

/** Sequences of everyday life; a fourth as many of those in which mails are refused and retried. */
const most = Number(process.env.BROADSHEET_SEQUENCES ?? 200)

describe('each owed post reaches each reader once, and nothing else does', () => {
  it.each([
    ['on calm days', calmSteps, most],
    ['when mails are refused and runs retried', refusedSteps, most / 4],
  ] as const)('%s', { timeout: 3_600_000 }, async (_, steps, numRuns) => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...beginnings), steps, playCalmDays), {
      numRuns,
      ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}),
    })
  })
})
