import { allRecords } from '../../all-records.ts'
import { recordKeys } from '../../keys.ts'
import type { Platform, StoredRecord } from '../../platform.ts'
import { putSubscriber } from '../../subscribers/store.ts'
import { sideBySide, type Turn } from '../../turn.ts'
import { claimsUnderWay } from './claims-under-way.ts'
import type { Run } from './run.ts'
import { booksOf, changeRun, isFinished, rowExpiry } from './run-store.ts'

const dayMs = 86_400_000

/**
 * Puts off the expiry of a run that is not over, as somebody may hold it for longer than runs are
 * kept: of its chunks and books, of the rows of chunks that are not finished, which say whom not to
 * mail again, and of the claims that have no end; then its own. Does nothing while most of its time is
 * left. Repeatable: until the run itself says so, the next tick goes on with what is left.
 */
export async function keepOpenRun(
  platform: Pick<Platform, 'records' | 'settings' | 'now'>,
  run: Run,
  turn: Turn,
): Promise<void> {
  const keptMs = platform.settings.keep.runsDays * dayMs
  const expiresMs = Date.parse(run.expires)
  if (expiresMs - platform.now().getTime() > 0.75 * keptMs) return
  // Counted from the old end and not from now, so that ticks that share the work agree on it.
  const expires = new Date(expiresMs + keptMs / 2)
  let isWhole = true
  const keep = async (record: StoredRecord, until: Date) => {
    if (!(await putOff(platform, record, until))) isWhole = false
  }
  await sideBySide(allRecords(platform, recordKeys.runParts(run.id)), turn, async (part) => {
    if (part.sort !== recordKeys.run(run.id).sort) await keep(part, expires)
  })
  await sideBySide(openRows(platform, run), turn, (row) =>
    keep(row, rowExpiry(expires.toISOString())),
  )
  await sideBySide(claimsUnderWay(platform, run), turn, async ({ item, note }) => {
    const next = { ...item.value, note: { ...note, expires: expires.toISOString() } }
    if (note.expires >= next.note.expires) return
    if ((await putSubscriber(platform, next, item.version)).status === 'conflict') isWhole = false
  })
  if (!isWhole || turn.hasLeft) return
  await changeRun(platform, run.id, (current) =>
    current.expires === run.expires ? { ...current, expires: expires.toISOString() } : undefined,
  )
}

async function* openRows(
  platform: Pick<Platform, 'records'>,
  run: Run,
): AsyncGenerator<StoredRecord, void, undefined> {
  for await (const { k, book } of booksOf(platform, run.id)) {
    if (book.begun && !isFinished(book, run)) {
      yield* allRecords(platform, recordKeys.ledger(run.id, k))
    }
  }
}

/** Whether it expires no earlier than that; not when somebody was writing it just now. */
async function putOff(
  { records }: Pick<Platform, 'records'>,
  { version, ...record }: StoredRecord,
  expiresAt: Date,
): Promise<boolean> {
  // Some stores keep whole seconds.
  const known = record.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY
  if (known >= expiresAt.getTime() - 1000) return true
  const { partition, sort } = record
  if (isCounter(record.value)) {
    await records.add({ partition, sort }, 0, { expiresAt })
    return true
  }
  const outcome = await records.put({ ...record, expiresAt }, { ifVersion: version })
  return outcome.status === 'stored'
}

/** Others may add to it at any time. */
function isCounter(value: StoredRecord['value']): boolean {
  return typeof value === 'object' && value !== null && 'count' in value
}
