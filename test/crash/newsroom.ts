import { markOf } from './mailbox.ts'

/** The readers of a crash run and what each round publishes; who is owed what follows from both. */

export interface Reader {
  email: string
  cadence: 'instant' | 'daily' | 'weekly' | 'monthly'
  day?: string
  at: string
  timeZone: string
  /** None: everything. */
  categories: string[]
}

export interface Post {
  id: string
  categories: string[]
  mail?: 'letter'
}

export const configuration = `site: {title: The Gazette, baseUrl: "https://news.example"}
categories:
  news: {title: News}
  sport: {title: Sport}
  culture: {title: Culture}
  letters: {title: Letters, mail: letter}
# The limits hold nothing up: with them the pace keeps its books.
mail: {from: "The Gazette <news@news.example>", limits: {perSecond: 5000, perDay: 10000000}}
digests: {cadence: daily, at: "08:00", maxPosts: 100, maxAgeDays: 36500}
`

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const clocks = [
  { at: '08:00', timeZone: 'UTC' },
  { at: '18:30', timeZone: 'Europe/Berlin' },
  { at: '07:15', timeZone: 'Asia/Tokyo' },
] as const
const choices = [[], ['news'], ['news', 'sport'], ['culture', 'letters']]

/** Mixed schedules and categories: of twenty readers two at once, five daily, nine weekly, four monthly. */
export function readers(count: number): Reader[] {
  return Array.from({ length: count }, (_, i) => {
    const clock = clocks[i % 3] ?? clocks[0]
    const common = { email: `reader-${i}@example.org`, ...clock }
    const categories = choices[Math.floor(i / 20) % 4] ?? []
    const place = i % 20
    if (place < 2) return { ...common, categories, cadence: 'instant' as const }
    if (place < 7) return { ...common, categories, cadence: 'daily' as const }
    if (place < 16) {
      return { ...common, categories, cadence: 'weekly' as const, day: days[i % 7] ?? 'mon' }
    }
    // A mail holds a hundred posts; a month of everything would be more.
    return {
      ...common,
      categories: ['culture', 'letters'],
      cadence: 'monthly' as const,
      day: ['1', '15', 'last-fri', '31'][i % 4] ?? '1',
    }
  })
}

/** The list of readers as a publisher imports it. */
export function csvOf(list: readonly Reader[]): string {
  const rows = list.map(({ email, categories, cadence, day = '', at, timeZone }) =>
    [
      email,
      categories.join(' '),
      cadence,
      day,
      at,
      timeZone,
      '2026-01-01T00:00:00Z',
      'form',
    ].join(),
  )
  return `email,categories,cadence,day,at,timeZone,confirmedAt,consent\n${rows.join('\n')}\n`
}

/** What a round publishes for good. */
export function postsOf(round: number): Post[] {
  const posts: Post[] = [
    { id: `n${round}`, categories: round % 2 === 0 ? ['news'] : ['news', 'sport'] },
  ]
  // A category that nobody heard of before: it reaches those who read everything.
  if (round % 2 === 1) posts.push({ id: `g${round}`, categories: [`Garden ${round}`] })
  if (round % 2 === 0) posts.push({ id: `c${round}`, categories: ['culture'] })
  if (round % 2 === 1) posts.push({ id: `l${round}`, categories: ['letters'], mail: 'letter' })
  return posts
}

/** As the API takes it. */
export function bodyOf({ id, categories, mail }: Post, more: object = {}): object {
  const text = `What happened in round ${id}.`
  return {
    id,
    title: `Post ${markOf(id)}`,
    categories,
    content: text,
    ...(mail && { mail }),
    ...more,
  }
}

/** Whether a reader who was there all the time is owed a post. */
export function isOwed(reader: Pick<Reader, 'categories'>, post: Post): boolean {
  if (reader.categories.length === 0) return true
  return post.categories.some((slug) => reader.categories.includes(slug))
}
