import { everything } from '../../../functions/keys.ts'
import type { Rhythm } from './wall-clock.ts'

/**
 * Posts, their log, readers and what they chose, told plainly: no records, no runs, no ledger. Who is
 * owed what follows from it alone; two oracles stand on it.
 */

export type Mode = 'digest' | 'letter' | 'none'

export interface Entry {
  n: number
  post: string
  mode: Mode
  /** As they were when it was listed. */
  categories: readonly string[]
  /** The id of a letter's run, where runs are known. */
  run?: string
}

export interface Choice {
  /** None means everything. */
  categories: readonly string[]
  rhythm: Rhythm | 'instant'
  /** Readers with equal rhythms share it. */
  schedule: string
  locale: string
}

export interface Reader {
  name: string
  id: string
  state: 'confirmed' | 'paused' | 'left'
  choice: Omit<Choice, 'categories'>
  /** Slug or `*` → owed is what is listed after this. */
  since: Map<string, number>
  pausedUntil: number
}

export interface Article {
  categories: readonly string[]
  mail: Mode | undefined
  date: number
}

interface Post extends Article {
  firstSeen: number
  state: 'visible' | 'scheduled' | 'gone'
}

/** What `broadsheet.yaml` says of categories in these tests. */
export interface Rules {
  letters: readonly string[]
  quiet: readonly string[]
  /** Every category there is. */
  all: readonly string[]
  maxAgeMs: number
}

export function newsstand(rules: Rules) {
  const posts = new Map<string, Post>()
  const log: Entry[] = []
  const readers = new Map<string, Reader>()
  const head = () => log.length
  const slugsOf = (categories: readonly string[]) =>
    categories.length > 0 ? categories : [everything]

  const wish = ({ mail, categories }: Post): Mode =>
    mail ?? (categories.some((slug) => rules.letters.includes(slug)) ? 'letter' : 'digest')

  function list(title: string, mode: Mode): void {
    const { categories } = posts.get(title) as Post
    log.push({ n: log.length + 1, post: title, mode, categories })
  }

  function show(title: string): void {
    const post = posts.get(title) as Post
    post.state = 'visible'
    if (log.some((entry) => entry.post === title)) return
    list(title, post.firstSeen - post.date > rules.maxAgeMs ? 'none' : wish(post))
  }

  /** A post as it is published or edited; `mailAgain` is heeded for what was listed before. */
  function store(title: string, post: Article, now: number, mailAgain = false): void {
    const firstSeen = posts.get(title)?.firstSeen ?? now
    const wasListed = log.some((entry) => entry.post === title)
    posts.set(title, { ...post, firstSeen, state: 'scheduled' })
    if (post.date <= now) show(title)
    const kept = posts.get(title) as Post
    if (mailAgain && wasListed && kept.state === 'visible' && kept.mail !== 'none') {
      list(title, wish(kept))
    }
  }

  /** Whether a reader's choices bring what is listed at `n`, as post and reader stand now. */
  function isOwed(reader: Reader, { n, post: title, mode }: Entry): boolean {
    const post = posts.get(title)
    if (mode === 'none' || post?.state !== 'visible' || post.mail === 'none') return false
    return channelsOf(post.categories).some((slug) => n > (reader.since.get(slug) ?? Infinity))
  }

  /** The choices that posts of these categories come by. */
  function channelsOf(categories: readonly string[]): string[] {
    return [everything, ...categories.filter((slug) => !rules.quiet.includes(slug))]
  }

  function start(reader: Reader, { categories, ...choice }: Choice): void {
    reader.state = 'confirmed'
    reader.choice = choice
    reader.since = new Map(slugsOf(categories).map((slug) => [slug, head()]))
  }

  const chosen = (reader: Reader) => (reader.since.has(everything) ? [] : [...reader.since.keys()])

  function change(reader: Reader, { categories, ...choice }: Choice): void {
    const all = reader.since.get(everything)
    const older = (slug: string) => Math.min(reader.since.get(slug) ?? head(), all ?? head())
    reader.since =
      categories.length === 0
        ? new Map([...reader.since, [everything, all ?? head()]])
        : new Map(categories.map((slug) => [slug, older(slug)]))
    reader.choice = choice
  }

  return {
    posts,
    log,
    readers,
    head,
    store,
    wish,
    isOwed,
    channelsOf,
    change,
    withdraw(title: string) {
      const post = posts.get(title)
      if (post) post.state = 'gone'
    },
    /** What a tick begins with: posts whose date has come, pauses that are over. */
    arrive(now: number) {
      const due = [...posts].filter(([, post]) => post.state === 'scheduled' && post.date <= now)
      for (const [title] of due.sort(([, a], [, b]) => a.date - b.date)) show(title)
      for (const reader of readers.values()) {
        if (reader.state !== 'paused' || reader.pausedUntil > now) continue
        start(reader, { categories: chosen(reader), ...reader.choice })
      }
    },
    start(name: string, id: string, choice: Choice): Reader {
      const known = readers.get(name)
      const reader: Reader = known ?? {
        name,
        id,
        state: 'left',
        choice,
        since: new Map(),
        pausedUntil: 0,
      }
      readers.set(name, reader)
      start(reader, choice)
      return reader
    },
    /** Leaves one category; of everything, all others stay. Gives back whether any is left. */
    leaveCategory(reader: Reader, slug: string): 'unchanged' | 'left' | 'changed' {
      const now = chosen(reader)
      if (now.length > 0 && !now.includes(slug)) return 'unchanged'
      const rest = (now.length > 0 ? now : rules.all).filter((other) => other !== slug)
      if (rest.length === 0) return 'left'
      change(reader, { categories: rest, ...reader.choice })
      return 'changed'
    },
    resume(reader: Reader) {
      start(reader, { categories: chosen(reader), ...reader.choice })
    },
  }
}

export type Newsstand = ReturnType<typeof newsstand>
