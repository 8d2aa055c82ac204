import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runJob } from '../../functions/jobs.ts'
import { identityHash, postIdOf } from '../../functions/posts/identity.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { changePreferences, unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { startingNow } from '../../functions/subscribers/choices.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { pauseUntil } from '../../functions/subscribers/pauses.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import { tick } from '../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { confirmReader, publishArticle } from './newsroom.ts'
import { type OracleChoice, oracle } from './oracle.ts'
import { type ScriptedMailer, scriptedMailer } from './scripted-mailer.ts'

const begin = Date.parse('2026-03-02T00:00:00Z')
const hourMs = 3_600_000
const zones = { UTC: 0, 'Asia/Tokyo': 9, 'America/Phoenix': -7 } as const
const days = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const
const names = ['ada', 'bob', 'cyd'] as const

const slugs = fc.uniqueArray(fc.constantFrom('art', 'books', 'chess'), { maxLength: 2 })
const cadence = fc.oneof(
  fc.record({
    cadence: fc.constant('daily' as const),
    hour: fc.constantFrom(6, 8, 20),
    zone: fc.constantFrom('UTC', 'Asia/Tokyo', 'America/Phoenix'),
  }),
  fc.record({
    cadence: fc.constant('weekly' as const),
    day: fc.constantFrom('mon', 'wed'),
    hour: fc.constant(8),
    zone: fc.constantFrom('UTC', 'Asia/Tokyo'),
  }),
  fc.constant({ cadence: 'instant' as const }),
)
const who = fc.constantFrom(...names)
const which = fc.nat({ max: 9 })
const mode = fc.constantFrom('digest', 'digest', 'digest', 'letter')

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('publish'), slugs, mode }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('edit'), which, slugs }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mail again'), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw'), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('subscribe'), who, slugs, cadence }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('change'), who, slugs, cadence }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave'), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pause'), who, hours: fc.integer({ min: 1, max: 80 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('instant job') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('tick'),
      hours: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }), fc.constant(200)),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Cadence = typeof cadence extends fc.Arbitrary<infer T> ? T : never

function preferencesOf(categories: string[], chosen: Cadence): Preferences {
  const base = { categories, locale: 'en' }
  if (chosen.cadence === 'instant') {
    return { ...base, cadence: 'instant', at: '08:00', timeZone: 'UTC' }
  }
  const at = `${String(chosen.hour).padStart(2, '0')}:00`
  const timed = { ...base, at, timeZone: chosen.zone }
  return chosen.cadence === 'daily'
    ? { ...timed, cadence: 'daily' }
    : { ...timed, cadence: 'weekly', day: chosen.day }
}

function choiceOf(categories: string[], chosen: Cadence): OracleChoice {
  if (chosen.cadence === 'instant') return { categories, rhythm: 'instant' }
  const rhythm = { hour: chosen.hour, offset: zones[chosen.zone as keyof typeof zones] }
  if (chosen.cadence === 'daily') return { categories, rhythm }
  const weekday = days.indexOf(chosen.day as (typeof days)[number])
  return { categories, rhythm: { ...rhythm, weekday } }
}

/** Which posts a mail holds, by the titles in its plain text. */
function postsIn(raw: Uint8Array): string {
  const [, text = ''] =
    /base64\r\n\r\n([\s\S]*?)\r\n--/.exec(Buffer.from(raw).toString('latin1')) ?? []
  const found =
    Buffer.from(text, 'base64')
      .toString()
      .match(/Post-\d+-/g) ?? []
  return [...new Set(found)].sort().join()
}

async function play(steps: readonly Step[], platform: ScratchPlatform, mailer: ScriptedMailer) {
  const expected = oracle(begin)
  const ids = new Map<string, string>()
  const posts: {
    id: string
    title: string
    isLetter: boolean
    slugs: string[]
    isGone: boolean
  }[] = []
  let now = begin

  const mailJobs = async () => {
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of ['work', 'mail'] as const) {
        for (const { job, receipt } of await platform.jobs.receive(lane, {
          limit: 10,
          leaseSeconds: 60,
        })) {
          isDry = false
          await runJob(platform, job)
          await platform.jobs.complete(receipt)
        }
      }
    }
  }
  // What a publish enqueues is lost: ticks must find everything by themselves.
  const loseJobs = async () => {
    for (const lane of ['urgent', 'work'] as const) {
      for (const { receipt } of await platform.jobs.receive(lane, {
        limit: 10,
        leaseSeconds: 60,
      })) {
        await platform.jobs.complete(receipt)
      }
    }
  }
  const store = async (post: (typeof posts)[number], mailAgain = false) => {
    const { id, title, isLetter } = post
    const published = new Date(now - posts.indexOf(post) * 60_000).toISOString()
    await publishArticle(
      platform,
      {
        id,
        title,
        categories: post.slugs,
        published,
        content: `Text ${now} ${mailAgain}.`,
        mail: isLetter ? 'letter' : 'digest',
      },
      { mailAgain },
    )
    await loseJobs()
  }

  for (const one of steps) {
    switch (one.do) {
      case 'publish': {
        const title = `Post-${posts.length}-`
        const post = {
          id: `p${posts.length}`,
          title,
          isLetter: one.mode === 'letter',
          slugs: one.slugs,
          isGone: false,
        }
        posts.push(post)
        await store(post)
        expected.publish(title, one.slugs, post.isLetter)
        break
      }
      case 'edit': {
        const post = posts[one.which % Math.max(posts.length, 1)]
        if (!post || post.isGone) break
        post.slugs = one.slugs
        await store(post)
        expected.publish(post.title, one.slugs, post.isLetter)
        break
      }
      case 'mail again': {
        const post = posts[one.which % Math.max(posts.length, 1)]
        if (!post || post.isGone) break
        await store(post, true)
        expected.mailAgain(post.title, post.isLetter)
        break
      }
      case 'withdraw': {
        const post = posts[one.which % Math.max(posts.length, 1)]
        if (!post || post.isGone) break
        post.isGone = true
        await withdrawPost(platform, postIdOf(identityHash({ kind: 'id', value: post.id })))
        await loseJobs()
        expected.withdraw(post.title)
        break
      }
      case 'subscribe': {
        const preferences = preferencesOf(one.slugs, one.cadence)
        const known = ids.get(one.who)
        const reader = known && expected.readers.get(one.who)
        if (reader && reader.state !== 'left') break
        if (known) {
          await changeSubscriber(
            platform,
            known,
            (current, head) => current && startingNow(current, preferences, head),
          )
        } else
          ids.set(one.who, await confirmReader(platform, `${one.who}@example.org`, preferences))
        expected.subscribe(one.who, choiceOf(one.slugs, one.cadence))
        break
      }
      case 'change': {
        const id = ids.get(one.who)
        if (!id) break
        await changePreferences(platform, id, preferencesOf(one.slugs, one.cadence))
        expected.change(one.who, choiceOf(one.slugs, one.cadence))
        break
      }
      case 'leave': {
        const id = ids.get(one.who)
        if (!id) break
        await unsubscribe(platform, id)
        expected.leave(one.who)
        break
      }
      case 'pause': {
        const id = ids.get(one.who)
        if (!id) break
        await pauseUntil(platform, id, new Date(now + one.hours * hourMs))
        expected.pause(one.who, now + one.hours * hourMs)
        break
      }
      case 'instant job':
        await runJob(platform, { kind: 'instant' })
        await mailJobs()
        expected.instantRun()
        break
      case 'tick':
        now += one.hours * hourMs
        platform.setNow(new Date(now))
        for (let i = 0; i < one.times; i++) await tick(platform)
        await mailJobs()
        expected.tick(now)
        break
    }
    for (const name of names) {
      const got = mailer.sent.filter(({ to }) => to.startsWith(name)).map(({ raw }) => postsIn(raw))
      const due = (expected.readers.get(name)?.mails ?? []).map((mail) =>
        mail.split(',').sort().join(),
      )
      expect(got.sort(), `${name} after ${JSON.stringify(one)}`).toEqual(due.sort())
    }
  }
}

it('each owed post reaches each reader once, and nothing else does', {
  timeout: 600_000,
}, async () => {
  const runs = Number(process.env.BROADSHEET_SEQUENCES ?? 60)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const mailer = scriptedMailer()
      const platform = await scratchPlatform({
        now: new Date(begin).toISOString(),
        mailer,
        settings: { digests: { maxPosts: 100 } },
      })
      try {
        await tick(platform)
        await play(steps, platform, mailer)
      } finally {
        await platform.close()
      }
    }),
    { numRuns: runs, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )
})
