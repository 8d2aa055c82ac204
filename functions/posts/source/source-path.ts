import type { CalendarDay } from './dates.ts'

/** What a file's place says about the post in it. */
export interface SourcePath {
  /** NFC, without Jekyll's `_posts` and `_drafts`, so that publishing a draft moves no identity. */
  identity: string
  /** The file's name, or the folder's of a page bundle (`name/index.md`), NFC. */
  name: string
  /** The name without date and extension: what slug and title fall back on. Empty when nothing is left. */
  words: string
  /** Lower case, without the dot. */
  extension: string
  /** From a name such as `2022-02-23-words.md`. */
  nameDay?: CalendarDay
  /** From folders such as `2023/07/13/` or `2023-07-13/`. */
  folderDay?: CalendarDay
  inDrafts: boolean
  /** Hugo's and Zola's `_index.md`. */
  isSection: boolean
}

/** Reads a `/`-separated path below the root. */
export function describePath(path: string): SourcePath {
  const segments = path
    .normalize('NFC')
    .split('/')
    .filter((s) => s !== '' && s !== '.' && s !== '..')
  const file = segments.at(-1) ?? ''
  const dot = file.lastIndexOf('.')
  const stem = dot > 0 ? file.slice(0, dot) : file
  const folders = segments.slice(0, -1)
  const isBundle = /^index(\.[a-z]{2}(-[a-z]{2,4})?)?$/i.test(stem) && folders.length > 0
  const named = isBundle ? (folders.at(-1) ?? '') : stem
  const [, year, month, day, words] =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_ ]+(.*))?$/s.exec(named) ?? []
  const nameDay = year === undefined ? undefined : calendarDay(year, month, day)
  const folderDay = dayInAddress(folders.join('/'))
  return {
    identity: segments.filter((s) => s !== '_posts' && s !== '_drafts').join('/'),
    name: isBundle ? named : file,
    words: (year === undefined ? named : (words ?? '')).trim(),
    extension: extensionOf(file),
    ...(nameDay && { nameDay }),
    ...(folderDay && { folderDay }),
    inDrafts: folders.includes('_drafts'),
    isSection: /^_index(\.[a-z-]+)?$/i.test(stem),
  }
}

/** The ending of a `/`-separated path's name, lower case, without the dot; `.name` alone has none. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
}

/** The day in a path or permalink: `2023/07/13/` as segments, or one segment `2023-07-13`. */
export function dayInAddress(address: string): CalendarDay | undefined {
  const [, year, month, day] =
    /(?:^|\/)(\d{4})\/(\d{1,2})\/(\d{1,2})(?:\/|$)/.exec(address) ??
    /(?:^|\/)(\d{4})-(\d{1,2})-(\d{1,2})(?:\/|$)/.exec(address) ??
    []
  return year === undefined ? undefined : calendarDay(year, month, day)
}

function calendarDay(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): CalendarDay {
  return { year: Number(year), month: Number(month), day: Number(day) }
}
