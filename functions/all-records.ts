import type { Json, Platform, QueryOptions, StoredRecord } from './platform.ts'

/**
 * Every item that a query finds, over all its pages, in its order; `limit` is the size of a page,
 * read when the one before is used up. Whoever has enough leaves the loop, and no further page is
 * read.
 */
export async function* allRecords<T = Json>(
  { records }: Pick<Platform, 'records'>,
  partition: string,
  options: Omit<QueryOptions, 'cursor'> = {},
): AsyncGenerator<StoredRecord<T>, void, undefined> {
  let cursor: string | undefined
  do {
    const page = await records.query<T>(partition, {
      ...options,
      ...(cursor === undefined ? {} : { cursor }),
    })
    yield* page.records
    cursor = page.cursor
  } while (cursor !== undefined)
}
