import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { itemBytes, unitsOf } from '../../bench/cost/dynamodb-units.ts'
import { meterDay } from '../../bench/cost/metered-day.ts'
import { paceCalls } from '../../bench/cost/pace-calls.ts'
import { costPage } from '../../bench/cost/page.ts'
import { essentialsUsd, usdOf } from '../../bench/cost/prices.ts'
import { type Counted, monthOf, scenarios, stack } from '../../bench/cost/scenarios.ts'
import { withSender } from '../support/aws/stack-template.ts'

const fileOf = (path: string) => new URL(`../../${path}`, import.meta.url)
const read = (path: string) => readFileSync(fileOf(path), 'utf8')
/** `npm run cost` writes what it counts; a test run compares. */
const isWriting = process.env.BROADSHEET_COST === 'write'

async function recount(): Promise<Counted> {
  const pace = async ({ mailsASecond, functions }: { mailsASecond: number; functions: number }) =>
    paceCalls(mailsASecond, functions)
  return {
    ...(await meterDay()),
    pace: { small: await pace(scenarios.small), large: await pace(scenarios.large) },
  }
}

describe('docs/cost.md', () => {
  it('rests on counts that a recount finds again within 5 %', { timeout: 600_000 }, async () => {
    const counts = await recount()
    if (isWriting) {
      writeFileSync(fileOf('bench/cost/counts.json'), `${JSON.stringify(counts, null, 2)}\n`)
      writeFileSync(fileOf('docs/cost.md'), costPage(counts))
    }
    const stated = JSON.parse(read('bench/cost/counts.json')) as Counted
    for (const of of ['tick', 'post', 'mail', 'job', 'event'] as const) {
      for (const [kind, value] of Object.entries(stated[of])) {
        const found = counts[of][kind as keyof Counted['mail']]
        expect.soft(found, `${kind} of a ${of}`).toBeGreaterThanOrEqual(0.95 * value)
        expect.soft(found, `${kind} of a ${of}`).toBeLessThanOrEqual(1.05 * value)
      }
    }
    for (const of of ['small', 'large'] as const) {
      for (const kind of ['reads', 'writes'] as const) {
        const ratio = counts.pace[of][kind] / stated.pace[of][kind]
        expect.soft(ratio, `${kind} of the pace`).toBeGreaterThanOrEqual(0.95)
        expect.soft(ratio, `${kind} of the pace`).toBeLessThanOrEqual(1.05)
      }
    }
  })

  it('says what the counts and prices come to, and nothing else', () => {
    const counts = JSON.parse(read('bench/cost/counts.json')) as Counted
    expect(read('docs/cost.md')).toBe(costPage(counts))
  })

  it('knows the memory, alarms and queues of the stack', () => {
    const { alarms, gigabytes, quietQueues, mailQueues } = stack
    withSender.resourceCountIs('AWS::CloudWatch::Alarm', alarms)
    const memory = Object.entries(withSender.findResources('AWS::Lambda::Function')).map(
      ([name, { Properties }]) => [name, Properties.MemorySize / 1024] as const,
    )
    for (const [doorway, size] of Object.entries(gigabytes)) {
      const own = memory.filter(([name]) => name.toLowerCase().includes(`compute${doorway}`))
      expect(own.map(([, gb]) => gb)).toEqual([size])
    }
    const sources = Object.values(withSender.findResources('AWS::Lambda::EventSourceMapping'))
    const [held, quiet] = [true, false].map((isHeld) =>
      sources.filter(({ Properties }) => (Properties.ScalingConfig !== undefined) === isHeld),
    )
    expect([held?.length, quiet?.length]).toEqual([mailQueues, quietQueues])
  })
})

describe('the reckoning', () => {
  it('bills DynamoDB by begun kB, twice where the index has a copy', () => {
    const item = { p: { S: 'a' }, s: { S: 'b' }, j: { S: 'x'.repeat(1020) } }
    expect(itemBytes(item)).toBe(1 + 1 + 1 + 1 + 1 + 1020)
    expect(unitsOf('PutItemCommand', { Item: item }, {}).writes).toBe(2)
    const indexed = { ...item, j: { S: 'x' }, ip: { S: 'c' }, is: { S: 'd' } }
    expect(unitsOf('PutItemCommand', { Item: indexed }, {}).writes).toBe(2)
    expect(unitsOf('GetItemCommand', {}, {}).reads).toBe(1)
    const Keys = [{ p: 'a' }, { p: 'b' }, { p: 'c' }]
    const Responses = { t: [{ p: 'a', j: 'x'.repeat(5000) }] }
    expect(
      unitsOf('BatchGetItemCommand', { RequestItems: { t: { Keys } } }, { Responses }),
    ).toEqual({ reads: 4, writes: 0 })
    const Items = Array.from({ length: 5 }, () => ({ p: 'a', j: 'x'.repeat(998) }))
    expect(unitsOf('QueryCommand', {}, { Items }).reads).toBe(2)
    expect(unitsOf('QueryCommand', { IndexName: 'i' }, { Items }).reads).toBe(1)
  })

  it('takes the steps of Essentials one after the other, and what is free off first', () => {
    expect(essentialsUsd(1000)).toBeCloseTo(0.16)
    expect(essentialsUsd(30_000_000)).toBeCloseTo(1600 + 2800)
    expect(usdOf('sqs.request', 1_500_000)).toBeCloseTo(0.6)
    expect(usdOf('sqs.request', 1_500_000, true)).toBeCloseTo(0.2)
    expect(usdOf('sqs.request', 10, true)).toBe(0)
  })

  it('mails nothing in an idle month and thirty digests to each reader in a busy one', () => {
    const counts = JSON.parse(read('bench/cost/counts.json')) as Counted
    expect(monthOf('idle', counts)['ses.mail']).toBe(0)
    expect(monthOf('small', counts)['ses.mail']).toBe(300_000)
    expect(monthOf('large', counts)['ses.mail']).toBe(30_000_000)
    for (const quantity of Object.values(monthOf('large', counts))) {
      expect(quantity).toBeGreaterThan(0)
    }
  })
})
