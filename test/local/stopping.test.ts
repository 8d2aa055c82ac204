import { expect, it, onTestFinished } from 'vitest'
import { countsOf } from '../../functions/digests/runs/books.ts'
import { getRun } from '../../functions/digests/runs/run-store.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { localPlatform } from '../../functions/local/platform.ts'
import { tick } from '../../functions/tick.ts'
import { confirmReader, publishArticle } from '../digests/newsroom.ts'
import { scratchSettings } from '../support/scratch-platform.ts'
import { smtpSink } from '../support/smtp-sink.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const readers = 60

it('a worker that stops in the middle of a run over a slow mail server leaves no mail in doubt', async () => {
  const taken: string[] = []
  let answerMs = 300
  const sink = await smtpSink({
    options: {
      onData(stream, session, callback) {
        stream.resume()
        // Not before its end: one that is turned back at the last instant has left nothing.
        stream.on('end', () => {
          taken.push(session.envelope.rcptTo[0]?.address ?? '')
          setTimeout(callback, answerMs, null, 'Ok')
        })
      },
    },
  })
  onTestFinished(() => sink.close())
  let passedMs = 0
  const options = {
    data: temporaryFolder(),
    settings: { ...scratchSettings(), smtpUrl: sink.url },
    log: jsonLog({ level: 'silent' }),
    now: () => new Date(Date.now() + passedMs),
  } as const

  const first = await localPlatform(options)
  for (let i = 0; i < readers; i++) {
    await confirmReader(first, `reader${i}@example.org`, { cadence: 'instant' })
  }
  const worker = first.startWorker()
  await publishArticle(first, { title: 'Post A' })
  await expect.poll(() => taken.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(5)
  await worker.stop(1000)
  await first.close()
  expect(taken.length).toBeLessThan(readers)

  // Every claim's time has run out: what left no end behind would be unknown now.
  passedMs = 300_000
  answerMs = 0
  const next = await localPlatform(options)
  onTestFinished(() => next.close())
  await tick(next, { driveAll: true })
  await next.machine.drain()
  const run = await getRun(next, 'instant_1')
  expect(run && (await countsOf(next, run.value))).toMatchObject({ accepted: readers, unknown: 0 })
  expect([...taken].sort()).toEqual([...new Set(taken)].sort())
}, 30_000)
