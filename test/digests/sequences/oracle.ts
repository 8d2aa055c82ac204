import { type Choice, type Entry, newsstand, type Reader, type Rules } from './newsstand.ts'
import { occurrences } from './wall-clock.ts'

/**
 * Which mails come, and when, where each is accepted or refused at once. What the service does is
 * compared with it, run by run and mail by mail.
 */

export interface OracleRun {
  kind: 'digest' | 'instant' | 'catch-up' | 'letter'
  /** The schedule's name, or the letter's post. */
  of: string
  to: number
  after: number
  isPaused: boolean
  /** A letter whose post is dated anew before anything of it is planned. */
  waits: boolean
  /** Its readers are those of this number then. */
  asOf?: number
  /** It was passed over while it was paused, and comes behind those made since. */
  hasLostPlace: boolean
  /** Readers, by id, whose mail was refused. */
  failed: Set<string>
}

/** Tells the runs of one tick apart. */
export const nameOf = ({ kind, of, to }: Pick<OracleRun, 'kind' | 'of' | 'to'>) =>
  `${kind} ${of} ${to}`

export interface Letterbox {
  /** Everything up to this number was dealt with. */
  dealtWith: number
  mustCatchUp: boolean
  /** The last visit ended in a mail: to a change of rhythm it looks as if it were still on its way. */
  hadMail: boolean
  isRefused: boolean
  /** Each mail's locale and the titles in it. */
  mails: string[]
}

const dayMs = 86_400_000

export function oracle(rules: Rules, begin: number) {
  const stand = newsstand(rules)
  const { log, posts, readers, head, isOwed } = stand
  const boxes = new Map<string, Letterbox>()
  /** Made, and not yet worked on. */
  let pending: OracleRun[] = []
  const over: OracleRun[] = []
  /** Schedules are known from their first reader on. */
  const schedules = new Map<string, Choice['rhythm']>()
  let lastTick = begin
  let instantUpTo = 0
  let lettersUpTo = 0
  let lastCatchUp = -1
  /** By id, whose last visit was one of a catch-up run that was refused: up to which number it went. */
  const refusedCatchUps = new Map<string, number>()
  /** Whose address is to change, by name: the new id, and since when it waits. */
  const moves = new Map<string, { id: string; since: number }>()

  function boxOf(name: string): Letterbox {
    let box = boxes.get(name)
    if (!box) {
      box = { dealtWith: 0, mustCatchUp: false, hadMail: false, isRefused: false, mails: [] }
      boxes.set(name, box)
    }
    return box
  }

  /** Visits one reader of a run's audience. */
  function deliver(reader: Reader, run: OracleRun, isRetry = false): void {
    const box = boxOf(reader.name)
    const isLetter = run.kind === 'letter'
    const isServed =
      isLetter ||
      (run.kind === 'catch-up' ? box.mustCatchUp || isRetry : reader.choice.schedule === run.of)
    box.hadMail = false
    refusedCatchUps.delete(reader.id)
    if (reader.state !== 'confirmed' || !isServed) return
    const owed = log.filter((entry) =>
      isLetter
        ? entry.n === run.to && isOwed(reader, { ...entry, n: run.asOf ?? run.to })
        : entry.mode === 'digest' &&
          entry.n > box.dealtWith &&
          entry.n <= run.to &&
          isOwed(reader, entry),
    )
    if (owed.length > 0 && box.isRefused) {
      run.failed.add(reader.id)
      if (run.kind === 'catch-up') refusedCatchUps.set(reader.id, run.to)
      return
    }
    const titles = [...new Set(owed.map(({ post }) => post))].sort()
    if (titles.length > 0) box.mails.push(`${reader.choice.locale}: ${titles.join()}`)
    box.hadMail = titles.length > 0
    if (!isLetter) box.dealtWith = Math.max(box.dealtWith, run.to)
  }

  /** The categories whose readers something of an instant run may concern. */
  function slugsListed({ after, to }: Pick<OracleRun, 'after' | 'to'>): Set<string> {
    const fresh = log.filter(({ n, mode }) => n > after && n <= to && mode === 'digest')
    return new Set(
      fresh.flatMap(({ post, categories }) => [
        ...stand.channelsOf(categories),
        ...stand.channelsOf(posts.get(post)?.categories ?? []),
      ]),
    )
  }

  function make(run: Pick<OracleRun, 'kind' | 'of'> & Partial<OracleRun>): OracleRun {
    const made = {
      to: head(),
      after: 0,
      isPaused: false,
      waits: false,
      hasLostPlace: false,
      failed: new Set<string>(),
      ...run,
    }
    pending.push(made)
    return made
  }

  function makeInstant(): OracleRun[] {
    const after = instantUpTo
    instantUpTo = head()
    const run = { kind: 'instant', of: 'instant', after, to: head() } as const
    return audienceOf(run).length > 0 ? [make(run)] : []
  }

  function audienceOf(run: Pick<OracleRun, 'kind' | 'of' | 'after' | 'to'>): Reader[] {
    const confirmed = [...readers.values()].filter(({ state }) => state === 'confirmed')
    const choosing = (slugs: ReadonlySet<string>) =>
      confirmed.filter(({ since }) => [...since.keys()].some((slug) => slugs.has(slug)))
    switch (run.kind) {
      case 'digest':
        return confirmed.filter(({ choice }) => choice.schedule === run.of)
      case 'catch-up':
        return confirmed.filter(({ name }) => boxOf(name).mustCatchUp)
      case 'letter':
        return choosing(new Set(stand.channelsOf(posts.get(run.of)?.categories ?? [])))
      case 'instant':
        return choosing(slugsListed(run)).filter(({ choice }) => choice.rhythm === 'instant')
    }
  }

  function makeCatchUp(now: number): OracleRun[] {
    // One that is not planned yet, held or not, will have everybody who waits.
    if (pending.some(({ kind }) => kind === 'catch-up')) return []
    const waiting = [...readers.values()].filter(
      ({ name, state }) => state === 'confirmed' && boxOf(name).mustCatchUp,
    )
    // So few are looked at side by side: who is owed nothing leaves, whoever else is owed something.
    for (const reader of waiting) {
      const box = boxOf(reader.name)
      const isWaitedFor = (entry: Entry) =>
        entry.mode === 'digest' && entry.n > box.dealtWith && isOwed(reader, entry)
      const isRefused = (refusedCatchUps.get(reader.id) ?? -1) >= head()
      if (isRefused || !log.some(isWaitedFor)) box.mustCatchUp = false
    }
    // One that is made at this instant has everybody already.
    if (lastCatchUp === now || !waiting.some(({ name }) => boxOf(name).mustCatchUp)) return []
    lastCatchUp = now
    return [make({ kind: 'catch-up', of: 'catch-up' })]
  }

  function mayBeOwed({ name, state, since }: Reader, upTo = head()): boolean {
    const { hadMail, dealtWith } = boxOf(name)
    return (
      state === 'confirmed' && (hadMail || Math.max(dealtWith, Math.min(...since.values())) < upTo)
    )
  }

  /** A letter under way holds a change of address for a day at most. */
  function finishMoves(now: number): void {
    for (const [name, { id, since }] of moves) {
      const reader = readers.get(name) as Reader
      const isAwaited = ({ kind, of, to, asOf = to, waits }: OracleRun) =>
        kind === 'letter' &&
        !waits &&
        stand
          .channelsOf(posts.get(of)?.categories ?? [])
          .some((slug) => asOf > (reader.since.get(slug) ?? Infinity))
      const isHeld = reader.state === 'confirmed' && now - since < dayMs && pending.some(isAwaited)
      if (!isHeld) finishMove(reader, id)
    }
  }

  /**
   * Letters that waited for their post to be out, but for those that are none any more. One that is
   * held by hand then has its readers, and waits for being resumed.
   */
  function letLettersGo(of: readonly OracleRun[]): void {
    for (const run of of.filter(({ waits }) => waits)) {
      const post = posts.get(run.of)
      const isMailedAnew = log.some((entry) => entry.post === run.of && entry.n > run.to)
      if (!post || post.state === 'gone' || stand.wish(post) !== 'letter' || isMailedAnew) {
        pending = pending.filter((other) => other !== run)
      } else if (post.state === 'visible') {
        run.asOf ??= head() + 1
        run.waits = run.isPaused
      }
    }
  }

  function finishMove(reader: Reader, id: string): void {
    const { name, choice } = reader
    moves.delete(name)
    reader.id = id
    // What was owed by now comes soon at the new address, too.
    const due = pending.filter(({ of }) => of === choice.schedule).map(({ to }) => to)
    boxOf(name).hadMail = false
    boxOf(name).mustCatchUp = mayBeOwed(
      reader,
      choice.rhythm === 'instant' ? head() : Math.max(0, ...due),
    )
  }

  function enter(reader: Reader): void {
    const { rhythm, schedule } = reader.choice
    if (reader.state === 'confirmed' && rhythm !== 'instant') schedules.set(schedule, rhythm)
  }

  function isAnybodyOn(schedule: string): boolean {
    return [...readers.values()].some(
      ({ state, choice }) => state === 'confirmed' && choice.schedule === schedule,
    )
  }

  function known(name: string): Reader | undefined {
    const reader = readers.get(name)
    return reader && reader.state !== 'left' ? reader : undefined
  }

  return {
    stand,
    boxOf,
    pending: () => pending,
    /** Runs whose refused mails can be tried again. */
    failed: () => over.filter(({ failed }) => failed.size > 0),
    start(name: string, id: string, choice: Choice) {
      enter(stand.start(name, id, choice))
      boxOf(name).mustCatchUp = false
    },
    change(name: string, choice: Choice) {
      const reader = known(name)
      if (!reader) return
      const { schedule } = reader.choice
      const wasWaiting = mayBeOwed(reader)
      stand.change(reader, choice)
      const box = boxOf(name)
      if (choice.schedule !== schedule) {
        box.mustCatchUp = choice.rhythm === 'instant' && wasWaiting
      }
      enter(reader)
    },
    leave(name: string) {
      const reader = known(name)
      if (!reader) return
      reader.state = 'left'
      boxOf(name).mustCatchUp = false
    },
    leaveCategory(name: string, slug: string) {
      const reader = known(name)
      if (!reader) return
      if (stand.leaveCategory(reader, slug) === 'left') this.leave(name)
    },
    pause(name: string, until: number) {
      const reader = known(name)
      if (!reader) return
      Object.assign(reader, { state: 'paused', pausedUntil: until })
      boxOf(name).mustCatchUp = false
    },
    resume(name: string) {
      const reader = readers.get(name)
      if (reader?.state !== 'paused') return
      stand.resume(reader)
      enter(reader)
    },
    /** The reader is to be known by another id, and the old one is nobody's. */
    move(name: string, id: string) {
      const reader = known(name)
      if (!reader) return
      // Only a tick looks closer.
      if (pending.some(({ kind }) => kind === 'letter')) moves.set(name, { id, since: lastTick })
      else finishMove(reader, id)
    },
    isMoving: (name: string) => moves.has(name),
    makeInstant,
    /** Makes what is due; gives back the new runs. */
    tick(now: number): OracleRun[] {
      stand.arrive(now)
      finishMoves(now)
      for (const reader of readers.values()) enter(reader)
      const made = makeInstant()
      for (const { n, post, mode } of log) {
        if (n > lettersUpTo && mode === 'letter') {
          const waits = posts.get(post)?.state === 'scheduled'
          made.push(make({ kind: 'letter', of: post, to: n, waits }))
        }
      }
      lettersUpTo = head()
      made.push(...makeCatchUp(now))
      for (const [of, rhythm] of schedules) {
        if (rhythm === 'instant' || occurrences(rhythm, lastTick, now).length === 0) continue
        if (!isAnybodyOn(of)) continue
        made.push(make({ kind: 'digest', of }))
      }
      letLettersGo(pending)
      lastTick = now
      return made
    },
    /** Everything made is planned and delivered; what is paused loses its place. */
    work() {
      const [held, open] = [
        pending.filter((run) => run.isPaused || run.waits),
        pending.filter((run) => !run.isPaused && !run.waits),
      ]
      for (const run of open) for (const reader of audienceOf(run)) deliver(reader, run)
      over.push(...open)
      for (const run of held) run.hasLostPlace = run.isPaused
      pending = held
    },
    resumeRun(run: OracleRun) {
      run.isPaused = false
      letLettersGo([run])
      if (!pending.includes(run)) return
      if (run.hasLostPlace) pending = [...pending.filter((other) => other !== run), run]
      run.hasLostPlace = false
    },
    retry(run: OracleRun) {
      const ids = [...run.failed]
      run.failed.clear()
      for (const reader of readers.values()) if (ids.includes(reader.id)) deliver(reader, run, true)
    },
  }
}

export type Oracle = ReturnType<typeof oracle>
