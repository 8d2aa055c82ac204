import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { openTurn } from '../turn.ts'
import { currentSlug } from './categories.ts'
import { markUnfinished } from './compose-post.ts'
import type { DatedRow } from './date-index.ts'
import { finishPosts } from './finish-posts.ts'
import type { StoredPost } from './stored-post.ts'
import { endNote, noteUnfinished } from './unfinished.ts'

/** Posts that are moved together. */
const windowPosts = 256

/**
 * Moves posts out of categories that `broadsheet.yaml` has renamed (`renamedFrom`), so that they
 * stand in the new one; how many moved. Their dates, numbers and entries stay, and nobody is mailed.
 * For every tick: one read a renamed slug when nothing is left to do; repeatable.
 */
export async function moveRenamedPosts(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  turn = openTurn(),
): Promise<number> {
  const { records, settings } = platform
  const old = Object.values(settings.categories).flatMap(({ renamedFrom = [] }) => renamedFrom)
  let moved = 0
  for (const slug of new Set(old)) {
    if (currentSlug(settings, slug) === slug) continue
    while (!turn.isOver()) {
      const partition = recordKeys.dateIndex(slug)
      const { records: rows } = await records.query<DatedRow>(partition, { limit: windowPosts })
      const some = await moveWindow(
        platform,
        rows.map(({ value }) => value.id),
      )
      moved += some
      if (some === 0) break
    }
  }
  return moved
}

async function moveWindow(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return 0
  const { records, settings } = platform
  const note = await noteUnfinished(platform, ids)
  const posts = await records.getMany<StoredPost>(ids.map(recordKeys.post))
  const written = await Promise.all(
    posts.map(async (record): Promise<StoredRecord<StoredPost> | undefined> => {
      if (!record) return undefined
      const slugs = record.value.categories.map((slug) => currentSlug(settings, slug))
      const categories = [...new Set(slugs)]
      if (categories.join() === record.value.categories.join()) return undefined
      const value = markUnfinished(platform, { ...record.value, categories }, record.value)
      const outcome = await records.put({ ...record, value }, { ifVersion: record.version })
      return outcome.status === 'stored'
        ? { ...record, value, version: outcome.version }
        : undefined
    }),
  )
  const changed = written.filter((record) => record !== undefined)
  await finishPosts(platform, changed)
  await endNote({ records }, note)
  return changed.length
}
