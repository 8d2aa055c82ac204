import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { describe, expect, it } from 'vitest'
import { approveLetter } from '../../../functions/digests/letters/approve-letter.ts'
import { pauseRun, resumeRun } from '../../../functions/digests/runs/control-run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { ServiceError } from '../../../functions/errors.ts'
import { letterRunId } from '../../../functions/keys.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { unsubscribe } from '../../../functions/subscribers/change-preferences.ts'
import { tick } from '../../../functions/tick.ts'
import { confirmReader } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'
import { LetterOracle } from './letter-oracle.ts'
import { open, published } from './letter-platform.ts'

const hour = 3_600_000

const readers = ['ada', 'bob', 'cyd'] as const

const reader = fc.constantFrom(...readers)

const hours = (max: number) => fc.integer({ min: 0, max })

/** What can happen to a letter; the clock goes on by so many hours before it. */
const step = fc.record({
  after: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, hours(30)),
  what: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        mode: fc.oneof(
          { weight: 8, arbitrary: fc.constant('letter' as const) },
          fc.constantFrom('digest' as const, 'none' as const),
        ),
        /** Hours from then; none: no set time. */
        inHours: fc.option(fc.integer({ min: -5, max: 60 }), { nil: undefined }),
      }),
    },
    fc.record({ kind: fc.constant('withdraw' as const) }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('approve' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('resume' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), reader }) },
    fc.record({ kind: fc.constant('leave' as const), reader }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  ),
})

describe('a letter, whatever happens to it', () => {
  it('reaches each of its readers at most once, and exactly once if it is let go', async () => {
    let gone = 0
    let calledOff = 0
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          approval: fc.option(fc.constant(24), { nil: undefined }),
          unapproved: fc.constantFrom('skip' as const, 'send' as const),
          early: fc.subarray([...readers]),
          steps: fc.array(step, { minLength: 3, maxLength: 14 }),
        }),
        async ({ approval, unapproved, early, steps }) => {
          const mailer = scriptedMailer()
          const own = await open({
            mailer,
            settings: { mail: { unapproved, ...(approval ? { approval } : {}) } },
          })
          const oracle = new LetterOracle({ approvalMs: approval && approval * hour, unapproved })
          const ids = new Map<string, string>()
          const now = () => own.now().getTime()
          const join = async (name: string) => {
            ids.set(name, await confirmReader(own, `${name}@example.org`, { at: '03:33' }))
            oracle.join(name)
          }
          for (const name of early) await join(name)

          let text = 0
          const runId = () => letterRunId(postId, 0)
          let postId = 'none'
          for (const { after, what } of steps) {
            own.advance(after * hour)
            switch (what.kind) {
              case 'publish': {
                const { mode, inHours } = what
                // A digest has no time; where it is given one it is refused, and nothing changes.
                const at = mode === 'digest' || inHours === undefined ? undefined : inHours * hour
                const mailAt = at === undefined ? undefined : new Date(now() + at).toISOString()
                const outcome = await published({ mail: mode, mailAt, content: `Text ${++text}.` })
                postId = outcome.post.id
                const told = oracle.publish(now(), mode, at === undefined ? undefined : now() + at)
                if (told !== undefined) expect(outcome.mailed).toBe(told)
                break
              }
              case 'withdraw':
                if (postId === 'none') break
                await withdrawPost(own, postId)
                oracle.withdraw(now())
                break
              case 'join':
                if (!oracle.isReader(what.reader)) await join(what.reader)
                break
              case 'leave':
                if (!ids.has(what.reader)) break
                await unsubscribe(own, ids.get(what.reader) ?? '')
                oracle.leave(what.reader)
                break
              case 'tick':
                break
              default: {
                const act = { approve: approveLetter, pause: pauseRun, resume: resumeRun }[
                  what.kind
                ]
                const isDone = await act(own, runId()).then(
                  () => true,
                  (error: unknown) => {
                    if (!(error instanceof ServiceError)) throw error
                    return false
                  },
                )
                oracle[what.kind](now(), isDone)
              }
            }
            await tick(own, { driveAll: true })
            await own.settle()
            oracle.tick(now(), text)
            const letters = mailer.sent.filter(({ deliveryId }) => deliveryId.startsWith('letter_'))
            oracle.check(letters.map(({ to }) => to.split('@')[0] ?? ''))
            if (oracle.sentText !== undefined) {
              for (const { raw } of letters) {
                const mail = await simpleParser(Buffer.from(raw))
                expect(mail.text).toContain(`Text ${oracle.sentText}.`)
              }
            }
            expect((await getRun(own, runId()))?.value.state).toBe(oracle.runState)
          }
          if (oracle.status === 'gone') gone++
          if (oracle.status === 'off') calledOff++
        },
      ),
      { numRuns: 60 },
    )
    // Both ends are met, or nothing was tried.
    expect(gone).toBeGreaterThan(5)
    expect(calledOff).toBeGreaterThan(5)
  }, 120_000)
})
