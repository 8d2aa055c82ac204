import type { Run } from '../../../functions/digests/runs/run.ts'
import type { Told } from './newsroom-days.ts'
import { type Choice, type Entry, newsstand, type Reader, type Rules } from './newsstand.ts'

/**
 * What may come to whom, and what must have come in the end, where mailers, workers and queues fail
 * as they like. It foretells no instant: each mail that leaves is judged when it leaves, and after
 * calm days nothing may be missing.
 */
export function reckoning(rules: Rules) {
  const stand = newsstand(rules)
  const { log, readers, isOwed } = stand
  /** Listings that a reader has got. */
  const got = new Map<string, Set<number>>()
  /** Listings that were not owed to a reader at some time: they may come, once, and need not. */
  const lapsed = new Map<string, Set<number>>()
  /** Up to which number digests have brought everything. */
  const dealtWith = new Map<string, number>()

  const setOf = (sets: Map<string, Set<number>>, name: string) => {
    const set = sets.get(name) ?? new Set<number>()
    sets.set(name, set)
    return set
  }
  const isReading = (reader: Reader | undefined): reader is Reader =>
    reader !== undefined && reader.state !== 'left'

  /** After each step: what is not owed now may fall away. */
  function look(isMoving: (id: string) => boolean): void {
    for (const reader of readers.values()) {
      for (const entry of log) {
        const isOpen = reader.state === 'confirmed' && isOwed(reader, entry)
        // Between two addresses there is nobody whom a letter could be planned for.
        const isBetween = entry.mode === 'letter' && isMoving(reader.id)
        if (!isOpen || isBetween) setOf(lapsed, reader.name).add(entry.n)
      }
    }
  }

  function lapseLetters({ name }: Reader): void {
    for (const { n, mode } of log) if (mode === 'letter') setOf(lapsed, name).add(n)
  }

  /** A mail leaves: what is wrong with it. */
  function leaves(
    name: string,
    run: Pick<Run, 'id' | 'kind' | 'to'>,
    titles: readonly string[],
  ): string[] {
    const reader = readers.get(name)
    if (reader?.state !== 'confirmed') return [`${name} is no reader`]
    const mine = setOf(got, name)
    const mayLapse = setOf(lapsed, name)
    const from = dealtWith.get(name) ?? 0
    const isLetter = run.kind === 'letter'
    const isInIt = (entry: Entry) =>
      isLetter
        ? entry.run === run.id
        : entry.mode === 'digest' && entry.n > from && entry.n <= run.to
    // One that was given a time is for those who are its readers then, whatever was listed meanwhile.
    const asDue = (entry: Entry) => (isLetter ? { ...entry, n: run.to } : entry)
    const owed = log.filter(
      (entry) => isInIt(entry) && !mine.has(entry.n) && isOwed(reader, asDue(entry)),
    )
    const faults = titles
      .filter((title) => !owed.some(({ post }) => post === title))
      .map((title) => `${name} got ${title}, which is not owed`)
    for (const { n, post } of owed) {
      if (!titles.includes(post) && !mayLapse.has(n)) faults.push(`${name} did not get ${post}`)
      if (titles.includes(post)) mine.add(n)
    }
    if (run.kind !== 'letter') dealtWith.set(name, Math.max(from, run.to))
    return faults
  }

  /** What was owed all the time and has not come. */
  function missing(): string[] {
    return [...readers.values()].flatMap((reader) =>
      log
        .filter(
          (entry) =>
            reader.state === 'confirmed' &&
            isOwed(reader, entry) &&
            !setOf(got, reader.name).has(entry.n) &&
            !setOf(lapsed, reader.name).has(entry.n),
        )
        .map(({ n, post }) => `${reader.name} misses ${post} (${n})`),
    )
  }

  const told: Told = {
    store: stand.store,
    withdraw: stand.withdraw,
    start: (name: string, id: string, choice: Choice) => void stand.start(name, id, choice),
    change(name, choice) {
      const reader = readers.get(name)
      if (isReading(reader)) stand.change(reader, choice)
    },
    leave(name) {
      const reader = readers.get(name)
      if (reader) reader.state = 'left'
    },
    leaveCategory(name, slug) {
      const reader = readers.get(name)
      if (isReading(reader) && stand.leaveCategory(reader, slug) === 'left') reader.state = 'left'
    },
    pause(name, until) {
      const reader = readers.get(name)
      if (isReading(reader)) Object.assign(reader, { state: 'paused', pausedUntil: until })
    },
    resume(name) {
      const reader = readers.get(name)
      if (reader?.state === 'paused') stand.resume(reader)
    },
    move(name, id) {
      const reader = readers.get(name)
      if (!isReading(reader)) return
      reader.id = id
      // A letter that was refused at the old address is not tried at the new one.
      lapseLetters(reader)
    },
  }
  return { stand, told, look, leaves, missing, got: (name: string) => setOf(got, name).size }
}
