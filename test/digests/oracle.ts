import { everything } from '../../functions/keys.ts'

/**
 * Who is owed which post, told plainly: no records, no runs, no ledger. What the service does is
 * compared with it.
 */

export interface OracleChoice {
  categories: readonly string[]
  /** `instant`, or a rhythm that the test can reckon without a library. */
  rhythm: Rhythm | 'instant'
}

export interface Rhythm {
  /** Local hour. */
  hour: number
  /** Of a zone without clock changes, hours ahead of UTC. */
  offset: number
  /** 0 (Thursday, the first day of 1970) to 6; every day without it. */
  weekday?: number
}

interface Reader {
  state: 'confirmed' | 'paused' | 'left'
  rhythm: OracleChoice['rhythm']
  /** Slug or `*` → listed after this. */
  since: Map<string, number>
  dealtWith: number
  mustCatchUp: boolean
  pausedUntil: number
  mails: string[]
}

interface Entry {
  n: number
  post: string
  isLetter: boolean
  categories: readonly string[]
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export function oracle(begin: number) {
  const readers = new Map<string, Reader>()
  const posts = new Map<string, { categories: readonly string[]; isGone: boolean }>()
  const log: Entry[] = []
  let lastTick = begin
  let instantUpTo = 0
  let lettersUpTo = 0
  const head = () => log.length

  function list(post: string, isLetter: boolean) {
    log.push({ n: log.length + 1, post, isLetter, categories: posts.get(post)?.categories ?? [] })
  }

  function isOwed(reader: Reader, { n, post }: Entry): boolean {
    const { categories = [], isGone = true } = posts.get(post) ?? {}
    if (isGone) return false
    return [everything, ...categories].some((slug) => n > (reader.since.get(slug) ?? Infinity))
  }

  function deliver(reader: Reader): void {
    if (reader.state !== 'confirmed') return
    const owed = log.filter((e) => !e.isLetter && e.n > reader.dealtWith && isOwed(reader, e))
    const titles = [...new Set(owed.map(({ post }) => post))].sort()
    if (titles.length > 0) reader.mails.push(titles.join())
    reader.dealtWith = head()
  }

  const slugsOf = (categories: readonly string[]) =>
    categories.length > 0 ? categories : [everything]

  function start(reader: Reader, choice: OracleChoice): void {
    reader.state = 'confirmed'
    reader.rhythm = choice.rhythm
    reader.mustCatchUp = false
    reader.since = new Map(slugsOf(choice.categories).map((slug) => [slug, head()]))
  }

  function isDue(rhythm: Rhythm, now: number): boolean {
    const { hour, offset, weekday } = rhythm
    const shift = offset * hourMs - hour * hourMs
    let day = Math.floor((now + shift) / dayMs)
    while (weekday !== undefined && ((day % 7) + 7) % 7 !== weekday) day--
    return day * dayMs - shift > lastTick
  }

  function instantRun(): void {
    const fresh = log.filter(({ n, isLetter }) => n > instantUpTo && !isLetter)
    const slugs = new Set(
      fresh.flatMap(({ post, categories }) => [
        everything,
        ...categories,
        ...(posts.get(post)?.categories ?? []),
      ]),
    )
    for (const reader of readers.values()) {
      if (reader.rhythm !== 'instant') continue
      if ([...reader.since.keys()].some((slug) => slugs.has(slug))) deliver(reader)
    }
    instantUpTo = head()
  }

  return {
    readers,
    publish(post: string, categories: readonly string[], isLetter: boolean) {
      const isNew = !posts.has(post)
      posts.set(post, { categories, isGone: false })
      if (isNew) list(post, isLetter)
    },
    mailAgain: list,
    withdraw(post: string) {
      const known = posts.get(post)
      if (known) known.isGone = true
    },
    subscribe(name: string, choice: OracleChoice) {
      const reader = readers.get(name) ?? {
        state: 'left',
        rhythm: 'instant',
        since: new Map(),
        dealtWith: 0,
        mustCatchUp: false,
        pausedUntil: 0,
        mails: [],
      }
      readers.set(name, reader)
      start(reader, choice)
    },
    change(name: string, { categories, rhythm }: OracleChoice) {
      const reader = readers.get(name)
      if (!reader || reader.state === 'left') return
      const all = reader.since.get(everything)
      const older = (slug: string) => Math.min(reader.since.get(slug) ?? head(), all ?? head())
      reader.since =
        categories.length === 0
          ? new Map([...reader.since, [everything, all ?? head()]])
          : new Map(categories.map((slug) => [slug, older(slug)]))
      if (rhythm !== 'instant') reader.mustCatchUp = false
      else if (reader.rhythm !== 'instant') reader.mustCatchUp = reader.state === 'confirmed'
      reader.rhythm = rhythm
    },
    leave(name: string) {
      const reader = readers.get(name)
      if (reader) Object.assign(reader, { state: 'left', mustCatchUp: false })
    },
    pause(name: string, until: number) {
      const reader = readers.get(name)
      if (!reader || reader.state === 'left') return
      Object.assign(reader, { state: 'paused', pausedUntil: until, mustCatchUp: false })
    },
    instantRun,
    tick(now: number) {
      for (const reader of readers.values()) {
        if (reader.state !== 'paused' || reader.pausedUntil > now) continue
        const categories = [...reader.since.keys()]
        const isEverything = reader.since.has(everything)
        start(reader, { categories: isEverything ? [] : categories, rhythm: reader.rhythm })
      }
      instantRun()
      for (const letter of log.filter(({ n, isLetter }) => isLetter && n > lettersUpTo)) {
        for (const reader of readers.values()) {
          if (reader.state === 'confirmed' && isOwed(reader, letter)) reader.mails.push(letter.post)
        }
      }
      lettersUpTo = head()
      for (const reader of readers.values()) {
        const isItsTime = reader.rhythm !== 'instant' && isDue(reader.rhythm, now)
        if (isItsTime || reader.mustCatchUp) deliver(reader)
        reader.mustCatchUp = false
      }
      lastTick = now
    },
  }
}
