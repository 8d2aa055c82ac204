import { getRun, isOpen, listOpenRuns } from '../../functions/digests/run-store.ts'
import { recordKeys } from '../../functions/keys.ts'
import type { RecordStore } from '../../functions/platform.ts'

export interface Sight {
  /** Equal before and after: no post was published or changed in between, and no run planned. */
  mark: string
  /** Posts are being changed, or a run is being planned, at this very moment. */
  isBusy: boolean
  /** Runs that were sending. */
  sending: string[]
}

/** What must not move while records are read one by one, or parts of different moments come together. */
export async function lookAt(records: RecordStore): Promise<Sight> {
  const changes = [await records.get<{ next: number }>(recordKeys.logHead)].map(
    (head) => head?.value.next ?? 0,
  )
  const dirty: string[] = []
  let cursor: string | undefined
  do {
    const page = await records.query<{ count: number }>(
      recordKeys.dirtyFeeds,
      cursor === undefined ? {} : { cursor },
    )
    dirty.push(...page.records.map(({ sort, value }) => `${sort} ${value.count}`))
    cursor = page.cursor
  } while (cursor !== undefined)
  const unfinished = await records.query(recordKeys.unfinished, { limit: 1 })
  const open = await listOpenRuns({ records })
  const runs = []
  for (const { id } of open) {
    const run = (await getRun({ records }, id))?.value
    if (run && isOpen(run)) runs.push(run)
  }
  return {
    mark: JSON.stringify([changes, dirty, open.map(({ id }) => id)]),
    isBusy: unfinished.records.length > 0 || runs.some(({ chunks }) => chunks === undefined),
    sending: runs.map(({ id }) => id),
  }
}
