import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bulkADay } from '../../functions/mail/quota.ts'

it('of any limit a day, one mail included, bulk uses 95 % at least and never more than there is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1 })), (perDay) => {
      const bulk = bulkADay(perDay)
      expect(Number.isInteger(bulk)).toBe(true)
      expect(bulk / perDay).toBeGreaterThanOrEqual(0.95)
      expect(bulk).toBeLessThanOrEqual(perDay)
      // From twenty on a confirmation finds room whatever bulk has sent.
      if (perDay >= 20) expect(bulk).toBeLessThan(perDay)
    }),
    { numRuns: 1000 },
  )
})

it.each([
  [1, 1],
  [10, 10],
  [20, 19],
  [100, 97],
  [50_000, 48_500],
])('of %i a day bulk uses %i', (perDay, bulk) => {
  expect(bulkADay(perDay)).toBe(bulk)
})
