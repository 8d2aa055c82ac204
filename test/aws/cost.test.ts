import { it } from 'vitest'
import { meterDay } from '../../bench/cost/metered-day.ts'

it('x', { timeout: 300_000 }, async () => {
  const started = Date.now()
  console.log(JSON.stringify(await meterDay(), null, 1), Date.now() - started)
})
