import fc from 'fast-check'
import { scheduleOf } from '../../../functions/subscribers/schedule.ts'
import type { Preferences } from '../../../functions/subscribers/subscriber.ts'
import type { Choice, Mode, Rules } from './newsstand.ts'
import type { Rhythm } from './wall-clock.ts'

/** What can happen to a publisher and three readers, for sequences drawn at random. */

export const rules: Rules = {
  all: ['art', 'books', 'chess', 'letters', 'quiet'],
  letters: ['letters'],
  quiet: ['quiet'],
  maxAgeMs: 30 * 86_400_000,
}

/** The same, as the service is told it. */
export const settings = {
  digests: { maxPosts: 100 },
  keep: { runsDays: 4000 },
  categories: {
    art: {},
    books: {},
    chess: {},
    letters: { mail: 'letter' },
    quiet: { mail: 'none' },
  },
} as const

export const names = ['ada', 'bob', 'cyd'] as const

/** Beginnings whose next days hold a clock change of some zone below, and one that has none. */
export const beginnings = [
  '2026-01-12T00:00:00Z',
  '2026-03-06T00:00:00Z',
  '2026-03-27T00:00:00Z',
  '2026-04-03T00:00:00Z',
  '2026-10-02T00:00:00Z',
  '2026-10-23T00:00:00Z',
]
const zone = fc.constantFrom(
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Asia/Kathmandu',
)
const at = fc.constantFrom('00:00', '02:30', '08:00', '20:15')

const rhythm: fc.Arbitrary<Rhythm | 'instant'> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ cadence: fc.constant('daily' as const), at, zone }) },
  {
    weight: 2,
    arbitrary: fc.record({
      cadence: fc.constant('weekly' as const),
      day: fc.constantFrom('mon', 'wed', 'sun'),
      at,
      zone,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      cadence: fc.constant('monthly' as const),
      day: fc.constantFrom('1', '31', 'first-mon', 'last-sun'),
      at,
      zone,
    }),
  },
  { weight: 3, arbitrary: fc.constant('instant' as const) },
)

type Slug = 'art' | 'books' | 'chess' | 'letters' | 'quiet'
const slugs: fc.Arbitrary<Slug[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.uniqueArray(fc.constantFrom<Slug[]>('art', 'books', 'chess'), { maxLength: 2 }),
  },
  {
    weight: 1,
    arbitrary: fc.uniqueArray(fc.constantFrom<Slug[]>('art', 'letters', 'quiet'), { maxLength: 2 }),
  },
)

const choice = fc.record({
  slugs: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Slug[]>([]) },
    { weight: 3, arbitrary: slugs },
  ),
  rhythm,
  locale: fc.constantFrom('en', 'de'),
})
export type DrawnChoice = typeof choice extends fc.Arbitrary<infer T> ? T : never

const who = fc.constantFrom(...names)
const which = fc.nat({ max: 9 })
const mail: fc.Arbitrary<Mode | undefined> = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  'digest',
  'letter',
  'none',
)
/** Hours from now; `old` is too old to be mailed. */
const date = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant('old' as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 60 }) },
)

const step = {
  publish: fc.record({ do: fc.constant('publish' as const), slugs, mail, date }),
  edit: fc.record({ do: fc.constant('edit' as const), which, slugs, mail, date }),
  mailAgain: fc.record({ do: fc.constant('mail again' as const), which }),
  withdraw: fc.record({ do: fc.constant('withdraw' as const), which }),
  subscribe: fc.record({ do: fc.constant('subscribe' as const), who, choice }),
  import: fc.record({ do: fc.constant('import' as const), who, choice }),
  change: fc.record({ do: fc.constant('change' as const), who, choice }),
  leave: fc.record({ do: fc.constant('leave' as const), who }),
  leaveCategory: fc.record({
    do: fc.constant('leave category' as const),
    who,
    slug: fc.constantFrom('art', 'books', 'letters'),
  }),
  pause: fc.record({
    do: fc.constant('pause' as const),
    who,
    hours: fc.integer({ min: 1, max: 80 }),
  }),
  resume: fc.record({ do: fc.constant('resume' as const), who }),
  move: fc.record({ do: fc.constant('move' as const), who }),
  instant: fc.record({ do: fc.constant('instant job' as const) }),
  work: fc.record({ do: fc.constant('work' as const) }),
  pauseRun: fc.record({ do: fc.constant('pause run' as const), which }),
  resumeRun: fc.record({ do: fc.constant('resume run' as const), which }),
  retry: fc.record({ do: fc.constant('retry' as const), which }),
  refuse: fc.record({ do: fc.constant('refuse' as const), who, isRefused: fc.boolean() }),
  tick: fc.record({
    do: fc.constant('tick' as const),
    hours: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }) },
      { weight: 1, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constant(700) },
    ),
    times: fc.integer({ min: 1, max: 2 }),
    works: fc.constantFrom(true, true, true, false),
  }),
  // Only where nothing is foretold to the minute.
  minutes: fc.record({
    do: fc.constant('minutes' as const),
    minutes: fc.constantFrom(1, 3, 15, 70, 26 * 60, 24 * 60, -24 * 60),
  }),
  weather: fc.record({
    do: fc.constant('weather' as const),
    who,
    fate: fc.constantFrom('sent', 'rejected', 'deferred', 'busy', 'lost', 'broken'),
  }),
  loseJobs: fc.record({ do: fc.constant('lose jobs' as const), which }),
  crash: fc.record({ do: fc.constant('crash' as const), after: fc.integer({ min: 1, max: 60 }) }),
  pauseSending: fc.record({ do: fc.constant('pause sending' as const), isPaused: fc.boolean() }),
}
export type Step = (typeof step)[keyof typeof step] extends fc.Arbitrary<infer T> ? T : never

function drawn(weights: Partial<Record<keyof typeof step, number>>): fc.Arbitrary<Step> {
  const entries = Object.entries(weights) as [keyof typeof step, number][]
  return fc.oneof(
    ...entries.map(([name, weight]) => ({ weight, arbitrary: step[name] as fc.Arbitrary<Step> })),
  )
}

const everyday = {
  publish: 18,
  edit: 6,
  mailAgain: 2,
  withdraw: 2,
  subscribe: 4,
  import: 2,
  change: 6,
  leave: 1,
  leaveCategory: 2,
  pause: 2,
  resume: 1,
  move: 2,
  instant: 3,
  tick: 14,
  work: 3,
  pauseRun: 2,
  resumeRun: 2,
  retry: 3,
}

/** Three readers, then what happens. A short sequence finds little: most lengths are drawn large. */
function sequences(weights: Parameters<typeof drawn>[0], maxLength: number): fc.Arbitrary<Step[]> {
  const joins = fc
    .tuple(choice, choice, choice)
    .map((choices) =>
      choices.map((one, i): Step => ({ do: 'subscribe', who: names[i] ?? 'ada', choice: one })),
    )
  return fc
    .tuple(joins, fc.array(drawn(weights), { minLength: 10, maxLength, size: 'max' }))
    .map(([first, rest]) => [...first, ...rest])
}

/** Mails are accepted or refused at once. */
export const calmSteps = sequences({ ...everyday, refuse: 4 }, 40)

/** The same with more refusals, more retries and longer stays: what comes after a failed delivery. */
export const refusedSteps = sequences(
  { publish: 18, edit: 2, change: 2, tick: 16, work: 3, refuse: 12, retry: 8 },
  40,
)

/** Everything fails now and then. */
export const stormySteps = sequences(
  { ...everyday, minutes: 14, weather: 7, loseJobs: 3, crash: 5, pauseSending: 1 },
  50,
)

export function preferencesOf({ slugs, rhythm, locale }: DrawnChoice): Preferences {
  const base = { categories: slugs, locale }
  if (rhythm === 'instant') return { ...base, cadence: 'instant', at: '08:00', timeZone: 'UTC' }
  const { cadence, day, at, zone: timeZone } = rhythm
  return { ...base, cadence, ...(day === undefined ? {} : { day }), at, timeZone }
}

export function choiceOf(drawn: DrawnChoice): Choice {
  const { slugs: categories, rhythm, locale } = drawn
  return { categories, rhythm, locale, schedule: scheduleOf(preferencesOf(drawn)).id }
}
