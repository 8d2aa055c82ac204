import { SMTPServer } from 'smtp-server'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { deliverChunk } from '../../functions/digests/delivery/deliver.ts'
import { makeDueRuns } from '../../functions/digests/runs/make-runs.ts'
import { planRun } from '../../functions/digests/runs/plan.ts'
import { countsOf } from '../../functions/digests/runs/books.ts'
import { getRun } from '../../functions/digests/runs/run-store.ts'
import { smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../digests/newsroom.ts'

let scratch: ScratchPlatform
afterEach(() => scratch.close())
const runId = 'daily-0800-UTC_20260302T080000Z'

function most(all: number[]) {
  let best = 0
  for (let first = 0, last = 0; last < all.length; last++) {
    while (all[last]! - all[first]! >= 1000) first++
    best = Math.max(best, last - first + 1)
  }
  return best
}

describe('D: an SMTP server that stands still for some seconds', () => {
  it.each([50])('gets no more than %i mails in any second afterwards', async (perSecond) => {
    const taken: number[] = []
    let stallUntil = 0
    const server = new SMTPServer({
      authOptional: true, disabledCommands: ['STARTTLS'],
      onMailFrom(_a, _s, callback) {
        if (taken.length === 20 && stallUntil === 1) stallUntil = Date.now() + 4000
        setTimeout(() => callback(), Math.max(0, stallUntil - Date.now()))
      },
      onData(stream, _s, callback) { stream.resume(); stream.on('end', () => { taken.push(Date.now()); callback(null, 'Ok: queued as 4F3A11') }) },
    })
    server.listen(0, '127.0.0.1'); await once(server.server, 'listening')
    const { port } = server.server.address() as AddressInfo
    scratch = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
    await tickAt(scratch, '2026-03-01T18:00:00Z')
    for (let i = 0; i < 120; i++) await confirmReader(scratch, `reader${i}@example.org`)
    await publishArticle(scratch, { title: 'Post A' })
    scratch.setNow('2026-03-02T08:00:00Z')
    const mailer = smtpMailer({ url: `smtp://127.0.0.1:${port}`, now: scratch.now, limits: { perSecond } })
    const left: number[] = []
    console.log('quota', await mailer.quota()); const platform = { ...scratch, mailer: { ...mailer, send: (m: never, u: Date, leave: () => Promise<boolean>) => mailer.send(m, u, async () => { const a = Date.now(); const may = await leave(); left.push(Date.now()); if (left.length < 30) console.log('leave', a % 100000, Date.now() % 100000, may); return may }) } }
    await makeDueRuns(platform, new Date('2026-03-02T07:59:00Z'))
    await planRun(platform, runId)
    await Promise.all([deliverChunk(platform, runId, 0), deliverChunk(platform, runId, 0)])
    mailer.close(); server.close()
    console.log(perSecond, taken.length, 'most in a second', most(taken), await countsOf(platform, (await getRun(platform, runId))!.value))
    console.log('left', left.length, most(left)); console.log('span', taken.at(-1)! - taken[0]!)
  }, 60_000)
})
