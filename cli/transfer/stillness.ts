import { allRecords } from '../../functions/all-records.ts'
import { getRun, isOpen, listOpenRuns } from '../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../functions/keys.ts'
import type { RecordStore } from '../../functions/platform.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { readSending } from '../../functions/sending.ts'

export interface Sight {
  /** Equal before and after: no post was published or changed in between, and no run planned. */
  mark: string
  /** Posts are being changed, or a run is being planned, at this very moment. */
  isBusy: boolean
  /** Runs that may send. */
  sending: string[]
}

/** What must not move while records are read one by one, or parts of different moments come together. */
export async function lookAt(records: RecordStore): Promise<Sight> {
  const { last } = await readLogHead({ records })
  const rows = allRecords<{ count: number }>({ records }, recordKeys.dirtyFeeds)
  const dirty = await Array.fromAsync(rows, ({ sort, value }) => `${sort} ${value.count}`)
  const unfinished = await records.query(recordKeys.unfinished, { limit: 1 })
  const open = await listOpenRuns({ records })
  const runs = []
  for (const { id } of open) {
    const run = (await getRun({ records }, id))?.value
    if (run && isOpen(run)) runs.push(run)
  }
  return {
    mark: JSON.stringify([last, dirty, open.map(({ id }) => id)]),
    isBusy: unfinished.records.length > 0 || runs.some(({ chunks }) => chunks === undefined),
    sending: (await readSending({ records })).paused ? [] : runs.map(({ id }) => id),
  }
}
