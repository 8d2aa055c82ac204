import { recordKeys } from '../keys.ts'
import type { Platform, RecordKey, RecordStore, StoredRecord } from '../platform.ts'
import { composeDue } from './compose-post.ts'
import { duePostsOf, dueRows } from './due.ts'
import { headOnceListed, isListed, logItemOf, withListing } from './log.ts'
import type { StoredPost } from './stored-post.ts'

/** So many posts at most; nobody is owed more in one digest. */
const mostPosts = 2000
const pagePosts = 500

/**
 * The records as they will read once the next tick has listed the posts whose date has come: to tell
 * beforehand what it will mail. Nothing is written, and nothing can be written through it.
 */
export async function recordsOnceListed(
  platform: Pick<Platform, 'records' | 'settings' | 'now'>,
): Promise<RecordStore> {
  const { records } = platform
  const due: StoredRecord<StoredPost>[] = []
  let cursor: string | undefined
  do {
    const page = await dueRows(platform, { limit: pagePosts, ...(cursor ? { cursor } : {}) })
    for (const record of (await duePostsOf(platform, page.records)).due) {
      due.push({ ...record, value: composeDue(platform, record.value) })
    }
    cursor = page.cursor
  } while (cursor && due.length < mostPosts)
  if (due.length === 0) return readOnly(records, new Map())

  const { record: head, added } = await headOnceListed(
    platform,
    due.filter(({ value }) => !isListed(value)).map(({ value }) => logItemOf(value)),
  )
  const entries = new Map(added.map((entry) => [entry.postId, entry]))
  const posts = due.map((record) => {
    const entry = entries.get(record.value.id)
    return entry ? { ...record, value: withListing(record.value, entry) } : record
  })
  const changed = [...posts, { ...head, ...recordKeys.logHead }] as StoredRecord<unknown>[]
  return readOnly(records, new Map(changed.map((record) => [nameOf(record), record])))
}

function readOnly(
  records: RecordStore,
  changed: ReadonlyMap<string, StoredRecord<unknown>>,
): RecordStore {
  const write = () => Promise.reject(new Error('what is due is told without a write'))
  return {
    get: async <T>(key: RecordKey) =>
      (changed.get(nameOf(key)) as StoredRecord<T> | undefined) ?? records.get<T>(key),
    getMany: async <T>(keys: readonly RecordKey[]) => {
      const found = await records.getMany<T>(keys)
      return found.map(
        (record, i) =>
          (changed.get(nameOf(keys[i] as RecordKey)) as StoredRecord<T> | undefined) ?? record,
      )
    },
    query: records.query,
    put: write,
    putMany: write,
    delete: write,
    add: write,
  }
}

const nameOf = ({ partition, sort }: RecordKey) => `${partition}\n${sort}`
