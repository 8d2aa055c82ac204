import { expect } from 'vitest'
import { pauseRun, resumeRun, retryRun } from '../../../functions/digests/runs/control-run.ts'
import { makeInstantRun } from '../../../functions/digests/runs/make-runs.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { runJob } from '../../../functions/jobs.ts'
import { identityHash, postIdOf } from '../../../functions/posts/identity.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'
import { mailText, openNewsroom } from './newsroom-days.ts'
import { names, rules, type Step, settings } from './newsroom-steps.ts'
import { nameOf, type OracleRun, oracle } from './oracle.ts'

const hourMs = 3_600_000
const lease = { limit: 10, leaseSeconds: 60 }

/**
 * Plays days in which each mail is accepted or refused at once, and compares runs and mails with the
 * oracle after each step. Throws where they differ.
 */
export async function playCalmDays(beginning: string, steps: readonly Step[]): Promise<void> {
  const mailer = scriptedMailer()
  const platform = await scratchPlatform({ now: beginning, mailer, settings })
  try {
    await tick(platform)
    await play(Date.parse(beginning), steps, platform, mailer)
  } finally {
    await platform.close()
  }
}

async function play(
  begin: number,
  steps: readonly Step[],
  platform: ScratchPlatform,
  mailer: ScriptedMailer,
): Promise<void> {
  const expected = oracle(rules, begin)
  const newsroom = openNewsroom({ ...expected.stand, ...expected })
  /** The product's runs by the oracle's. */
  const runIds = new Map<OracleRun, string>()
  let now = begin
  mailer.answer = ({ to }) =>
    names.some((name) => to.startsWith(name) && expected.boxOf(name).isRefused)
      ? { status: 'rejected', reason: 'no' }
      : undefined

  const work = async () => {
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of ['work', 'mail'] as const) {
        for (const { job, receipt } of await platform.jobs.receive(lane, lease)) {
          isDry = false
          await runJob(platform, job)
          await platform.jobs.complete(receipt)
        }
      }
    }
  }
  // Hints are lost: ticks make every run by themselves. The jobs of runs stay, in their order.
  const withoutHints: ScratchPlatform = {
    ...platform,
    jobs: {
      ...platform.jobs,
      enqueue: (jobs, options) =>
        platform.jobs.enqueue(
          jobs.filter(({ kind }) => kind === 'plan' || kind === 'deliver'),
          options,
        ),
    },
  }
  const expectRuns = (made: readonly Run[], wanted: readonly OracleRun[]) => {
    const titles = new Map(
      newsroom.posts.map(({ id, title }) => [
        postIdOf(identityHash({ kind: 'id', value: id })),
        title,
      ]),
    )
    const given = new Map(
      made.map((run) => {
        const of = run.postId ? (titles.get(run.postId) ?? '') : run.schedule
        return [nameOf({ kind: run.kind, of, to: run.to }), run.id]
      }),
    )
    expect(made).toHaveLength(wanted.length)
    expect([...given.keys()].sort()).toEqual(wanted.map(nameOf).sort())
    for (const run of wanted) runIds.set(run, given.get(nameOf(run)) ?? '')
  }
  const idOf = (run: OracleRun) => runIds.get(run) ?? ''

  for (const step of steps) {
    // Whose address is being changed waits for its end before doing anything else.
    if ('who' in step && step.do !== 'refuse' && expected.isMoving(step.who)) continue
    await newsroom.take(withoutHints, step)
    switch (step.do) {
      case 'refuse':
        expected.boxOf(step.who).isRefused = step.isRefused
        break
      case 'instant job': {
        const run = await makeInstantRun(platform)
        expectRuns(run ? [run] : [], expected.makeInstant())
        break
      }
      case 'tick':
        now += step.hours * hourMs
        platform.setNow(new Date(now))
        for (let i = 0; i < step.times; i++) {
          const { runs } = await tick(withoutHints)
          expectRuns(runs, expected.tick(now))
        }
        if (!step.works) break
        await work()
        expected.work()
        break
      case 'work':
        await work()
        expected.work()
        break
      case 'pause run': {
        const run = expected.pending()[step.which % Math.max(expected.pending().length, 1)]
        if (!run) break
        await pauseRun(platform, idOf(run))
        run.isPaused = true
        break
      }
      case 'resume run': {
        const held = expected.pending().filter(({ isPaused }) => isPaused)
        const run = held[step.which % Math.max(held.length, 1)]
        if (!run) break
        await resumeRun(platform, idOf(run))
        expected.resumeRun(run)
        break
      }
      case 'retry': {
        await work()
        expected.work()
        const failed = expected.failed()
        const run = failed[step.which % Math.max(failed.length, 1)]
        if (!run) break
        await retryRun(platform, idOf(run))
        await work()
        expected.retry(run)
        break
      }
    }
    for (const name of names) {
      const got = mailer.sent
        .filter(({ to }) => to.startsWith(name))
        .map(({ raw }) => mailText(raw))
        .map(({ locale, titles }) => `${locale}: ${titles.join()}`)
      const due = [...expected.boxOf(name).mails]
      expect(got.sort(), `${name} after ${JSON.stringify(step)}`).toEqual(due.sort())
    }
  }
}
