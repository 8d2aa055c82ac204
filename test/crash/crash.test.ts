import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mostInFlight } from '../../functions/digests/delivery/deliver-all.ts'
import { type Random, randomFrom, seedOf } from '../support/seeded-random.ts'
import { watchBooks } from './books-watch.ts'
import { type CrashRun, type CrashRunOptions, openCrashRun } from './crash-run.ts'
import { checkEnd } from './ends.ts'
import { otherFamilies, persistentSteps } from './persistent-steps.ts'
import { familyNames } from './steps.ts'

/** Half an hour and ten thousand readers: `npm run test:crash`. */
const isLong = Boolean(process.env.BROADSHEET_LONG_TESTS)
const size = isLong ? 10_000 : 200
const longest = (isLong ? 60 : 5) * 60_000
const mailboxes = ['outbox', 'smtp'] as const

/** Plays with the books watched, comes to the end, and says what was wrong. */
async function playedOut(
  name: string,
  run: CrashRun,
  random: Random,
  play: () => Promise<number>,
  { pauseMs, isFaulty = false }: { pauseMs?: number; isFaulty?: boolean } = {},
): Promise<string[]> {
  const started = performance.now()
  try {
    await run.addReaders()
    const watch = watchBooks(run, random, pauseMs)
    const rounds = await play()
    await run.playToTheEnd(rounds)
    await watch.stop()
    const { faults, ...end } = await checkEnd(run)
    const most = Math.max(0, ...run.atStake)
    const inDoubt = run.atStake.reduce((sum, n) => sum + n, 0)
    if (!isFaulty && end.unknown > inDoubt) {
      faults.push(`${end.unknown} are unknown, and the deaths put ${inDoubt} at stake`)
    }
    console.log(
      `${name}: ${run.deaths()} deaths, ${rounds} rounds, at stake in a death at most ${most}, ${watch.samples()} samples, ${JSON.stringify(end)}, ${Math.round((performance.now() - started) / 1000)} s`,
    )
    return [...watch.faults, ...faults]
  } catch (error) {
    console.log(`${name}: ${error}; its last words: ${run.service.errors().slice(-3000)}`)
    throw error
  } finally {
    await run.close()
  }
}

/** In the long run, the samples that issue a verdict on the books are a thousand and more. */
const enough = { deaths: isLong ? 200 : 6, pauseMs: isLong ? 150 : 40 }

describe('the list of persistent steps', () => {
  it('is complete: each step that a run takes is in it, and each in it is taken', {
    timeout: longest,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'broadsheet-steps-'))
    const file = join(folder, 'steps')
    appendFileSync(file, '')
    const run = await openCrashRun({
      program: 'watched',
      mail: 'outbox',
      readers: 200,
      imported: 40,
      env: { CRASH_STEPS: file },
    })
    const faults = await playedOut('without a death', run, randomFrom(1), async () => {
      for (let round = 0; round < 3; round++) await run.playRound(round)
      return 3
    })
    expect(faults).toEqual([])
    const taken = new Set(readFileSync(file, 'utf8').trim().split('\n'))
    rmSync(folder, { recursive: true })
    expect([...taken].sort()).toEqual([...persistentSteps].sort())
    const written = new Set([...taken].map((step) => step.slice(step.indexOf(' ') + 1)))
    const left = familyNames.filter((name) => !written.has(name))
    expect(left.sort()).toEqual(Object.keys(otherFamilies).sort())
  })
})

describe('a death right after a persistent step', () => {
  /** Dies after each step once, starting again each time; goes on where it was. */
  async function dieAfterEach(
    name: string,
    steps: readonly string[],
    options: Pick<CrashRunOptions, 'mail' | 'readers' | 'refused'>,
    random: Random,
  ): Promise<string[]> {
    const left = [...steps]
    let armed: string | undefined
    const run = await openCrashRun({
      program: 'watched',
      imported: 40,
      ...options,
      beforeStart() {
        armed = left.shift()
        return armed ? { CRASH_AFTER: armed } : {}
      },
    })
    return playedOut(name, run, random, async () => {
      let round = 0
      for (let quiet = 0; armed !== undefined; round++) {
        const before = run.deaths()
        await run.playRound(round)
        quiet = run.deaths() === before ? quiet + 1 : 0
        if (quiet > 2) throw new Error(`nobody takes the step ${armed}`)
      }
      expect(run.deaths()).toBe(steps.length)
      expect(Math.max(...run.atStake)).toBeLessThanOrEqual(mostInFlight)
      return round
    })
  }

  const [first, ...others] = persistentSteps
  const half = Math.ceil(others.length / 2)
  const shares = [[first as string, ...others.slice(0, half)], others.slice(half)]

  for (const mail of isLong ? mailboxes : (['outbox'] as const)) {
    it.concurrent.each(shares)(
      `loses nothing and doubles nothing (${mail}), from %s on`,
      {
        timeout: longest,
      },
      async (...steps) => {
        const seed = seedOf(`steps from ${steps[0]}`)
        const options = { mail, readers: size, refused: 0.01 }
        expect(await dieAfterEach(`each step, ${mail}`, steps, options, randomFrom(seed))).toEqual(
          [],
        )
      },
    )
  }

  it.runIf(isLong)('nor after its second to sixth time', { timeout: longest }, async () => {
    const seed = seedOf('later times')
    const random = randomFrom(seed)
    const often =
      /^(?:put (?:subscriber|ledgerRow|post|run|openRun|chunk|chunkBook|public\/)|send bulk|add (?:pace|paceAhead|paceStretch|finishedChunks)|complete job|receive mail)$/
    const steps = persistentSteps
      .filter((step) => often.test(step))
      .flatMap((step) => Array.from({ length: 3 }, () => `${step}#${2 + random.below(5)}`))
    const options = { mail: 'smtp', readers: size, refused: 0.01 } as const
    expect(await dieAfterEach('later times, smtp', steps, options, random)).toEqual([])
  })
})

describe('a death at any moment', () => {
  it.concurrent.each(mailboxes)(
    'leaves each reader owed a digest with exactly one (%s)',
    {
      timeout: longest,
    },
    async (mail) => {
      const seed = seedOf(`any moment, ${mail}`)
      const random = randomFrom(seed)
      const shortestMs = isLong ? 4000 : 1200
      let spanMs = shortestMs
      let doneBefore = 0
      let timer: NodeJS.Timeout | undefined
      const dieIn = (ms: number) => {
        clearTimeout(timer)
        if (run.deaths() < enough.deaths) timer = setTimeout(() => strike(ms), ms)
      }
      // Once while the readers come in is enough: most should die at work.
      const strike = (ms: number) => {
        if (run.deaths() === 0 || run.everyone.size > 0) void run.service.kill()
        else dieIn(ms)
      }
      const run: CrashRun = await openCrashRun({
        program: 'broadsheet',
        mail,
        readers: size,
        refused: 0.01,
        // Some die before they accept requests.
        beforeStart: () => {
          if (random.next() < 0.15) dieIn(random.below(1000))
          return {}
        },
        afterStart() {
          // On a slow machine nothing would ever be done between two deaths.
          if (run.done() === doneBefore) spanMs = Math.min(1.2 * spanMs, 3 * shortestMs)
          doneBefore = run.done()
          dieIn(random.below(spanMs))
        },
      })
      const faults = await playedOut(
        `any moment, ${mail}`,
        run,
        random,
        async () => {
          let round = 0
          for (; run.deaths() < enough.deaths; round++) await run.playRound(round)
          clearTimeout(timer)
          expect(Math.max(...run.atStake)).toBeLessThanOrEqual(mostInFlight)
          return round
        },
        { pauseMs: enough.pauseMs },
      )
      expect(faults).toEqual([])
    },
  )
})

describe('a mailer that misbehaves', () => {
  it.concurrent.each(mailboxes)(
    'loses nothing and doubles nothing (%s): answers that are lost or unclear, workers that sleep past their lease and wake, sends that end after it',
    {
      timeout: longest,
    },
    async (mail) => {
      const seed = seedOf(`faults, ${mail}`)
      const random = randomFrom(seed)
      const seen: Record<string, number> = {}
      let fallsAsleep = () => {}
      const run = await openCrashRun({
        program: 'watched',
        mail,
        readers: size,
        env: { CRASH_FAULTS: 'lost=40,broken=40,asleep=15,slow=15' },
      })
      run.service.onMessage(({ disturbance, isAsleep }) => {
        if (disturbance) seen[disturbance] = (seen[disturbance] ?? 0) + 1
        // Not with the disturbance: a slow send that began before it may sleep sleeps all the same.
        if (isAsleep) fallsAsleep()
      })
      const standAt = (instant: Date, maySleep: boolean) =>
        run.service.move({ clock: instant.getTime() - Date.now(), maySleep })
      const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

      const faults = await playedOut(
        `faults, ${mail}`,
        run,
        random,
        async () => {
          const rounds = isLong ? 12 : 4
          for (let round = 0; round < rounds; round++) {
            await run.publish(round)
            await run.changeReaders(round)
            const due = run.endOf(round)
            await run.act(async () => {
              const asleep = new Promise<void>((resolve) => {
                fallsAsleep = resolve
              })
              await standAt(due, true)
              // By the clock that can be moved: its workers sleep within their leases …
              const sleeping = run.service.api('POST', '/api/v1/tick')
              await Promise.race([asleep, sleeping.catch(() => {})])
              // Some more fall asleep; how many does not matter.
              await pause(200)
              // … until these are over, and somebody else judges their claims.
              const after = new Date(due.getTime() + 225_000)
              await standAt(after, true)
              await run.service.move({ judge: after.toISOString() })
              // Some rounds end in a death, the others in their waking.
              if (round % 3 === 2) await run.service.kill()
              else await standAt(new Date(due.getTime() + 300_000), false)
              await sleeping
            })
            await run.finish(new Date(due.getTime() + 480_000))
          }
          return rounds
        },
        { isFaulty: true, pauseMs: enough.pauseMs },
      )
      console.log(`faults, ${mail}: ${JSON.stringify(seen)}`)
      expect(faults).toEqual([])
      for (const kind of ['lost', 'broken', 'asleep', 'slow']) expect(seen[kind]).toBeGreaterThan(0)
    },
  )
})
