import type { ErrorCode } from '../error-codes.ts'
import { ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { listCategories } from '../posts/categories.ts'
import { addByProof } from './add-reader.ts'
import { normaliseAddress, subscriberIdOf } from './address.ts'
import { samePreferences, withPreferences } from './choices.ts'
import { type CsvRow, type ReadRow, readCsv } from './csv.ts'
import { changeSubscriber } from './memberships.ts'
import { checkPreferences, type PreferencesContext, preferencesOf } from './preferences.ts'
import { readInstant } from './read-instant.ts'
import { getSubscriber } from './store.ts'
import { keepPending, requestSubscription } from './subscribe.ts'
import { type Consent, isReader, type Subscriber } from './subscriber.ts'
import { latestRequest } from './subscription-requests.ts'

export type ImportOutcome =
  /** A confirmed reader, new or returned by a later consent. */
  | 'added'
  /** A reader whose choices the row changed. */
  | 'updated'
  | 'unchanged'
  /** No proof of consent: asked by mail. */
  | 'pending'
  /** They left, and the row's consent is not later. */
  | 'left'
  /** Bounced, complained or erased: no mail, whatever a file says. */
  | 'suppressed'
  | 'refused'

/** What became of one row. It names the line and the reader's id, never the address. */
export interface ImportLine {
  line: number
  outcome: ImportOutcome
  id?: string
  code?: ErrorCode
  reason?: string
}

/** Rows done at once: their writes are made durable together. */
const batchSize = 100

/**
 * Takes in a list of readers (CSV), one outcome a row as it goes, in the order of the lines.
 * Repeating it is harmless, and a list that was exported changes nothing. A confirmed reader is owed
 * what is listed from now on.
 *
 * @throws `import.header` before anything is changed
 */
export async function* importSubscribers(
  platform: Platform,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ImportLine, void, undefined> {
  const context: PreferencesContext = {
    settings: platform.settings,
    categories: await listCategories(platform),
  }
  let batch: ReadRow[] = []
  for await (const row of readCsv(chunks)) {
    batch.push(row)
    if (batch.length < batchSize) continue
    yield* await importBatch(platform, context, batch)
    batch = []
  }
  yield* await importBatch(platform, context, batch)
}

/** Rows of one address are done one after the other; all others at the same time. */
async function importBatch(
  platform: Platform,
  context: PreferencesContext,
  rows: readonly ReadRow[],
): Promise<ImportLine[]> {
  const byReader = new Map<string, Promise<unknown>>()
  return Promise.all(
    rows.map((read) => {
      const { line } = read
      if (read.status === 'unreadable') {
        return { line, outcome: 'refused', code: 'import.line', reason: read.reason } as const
      }
      try {
        const email = normaliseAddress(read.row.email ?? '')
        const id = subscriberIdOf(platform, email)
        const done = (byReader.get(id) ?? Promise.resolve()).then(() =>
          importRow(platform, context, { ...read.row, email }, id),
        )
        const outcome = done.then(
          (what): ImportLine => ({ line, id, ...what }),
          (error: unknown) => refusedLine(line, error),
        )
        byReader.set(id, outcome)
        return outcome
      } catch (error) {
        return refusedLine(line, error)
      }
    }),
  )
}

function refusedLine(line: number, error: unknown): ImportLine {
  if (!(error instanceof ServiceError)) throw error
  return { line, outcome: 'refused', code: error.code, reason: `Line ${line}: ${error.message}` }
}

async function importRow(
  platform: Platform,
  context: PreferencesContext,
  row: CsvRow & { email: string },
  id: string,
): Promise<{ outcome: ImportOutcome; reason?: string }> {
  const consent = readConsent(row, platform.now())
  const known = (await getSubscriber(platform, id))?.value
  if (known && isReader(known)) return updateReader(platform, context, row, known)
  if (known?.state === 'suppressed') {
    return { outcome: 'suppressed', reason: `No mail goes to this address: ${known.reason}.` }
  }
  const wanted = checkPreferences(preferenceCells(row), context)
  if (!consent) {
    if (known?.state === 'unsubscribed') return left
    // Asked before and not answered: a file read twice does not ask twice.
    if (known && (await latestRequest(platform, id))) return { outcome: 'unchanged' }
    await requestSubscription(platform, {
      email: row.email,
      preferences: wanted,
      consent: { source: 'import' },
    })
    const request = await latestRequest(platform, id)
    if (request) await keepPending(platform, id, request)
    return { outcome: 'pending' }
  }
  const added = await addByProof(platform, row.email, wanted, consent)
  if (added.status === 'left') return left
  return { outcome: added.status === 'reader' ? 'unchanged' : added.status }
}

const left = {
  outcome: 'left',
  reason: 'This reader left, and the row has no later consent.',
} as const

/** The publisher's list may change a reader's choices, but only those that it has a column for. */
async function updateReader(
  platform: Platform,
  context: PreferencesContext,
  row: CsvRow,
  known: Subscriber,
): Promise<{ outcome: ImportOutcome }> {
  const { settings } = platform
  const wantedOf = (reader: Subscriber) =>
    checkPreferences(preferenceCells(row), { ...context, current: preferencesOf(reader, settings) })
  if (samePreferences(preferencesOf(known, settings), wantedOf(known)))
    return { outcome: 'unchanged' }
  let outcome = 'unchanged' as ImportOutcome
  await changeSubscriber(platform, known.id, (current, head) => {
    outcome = 'unchanged'
    if (!current || !isReader(current)) return undefined
    const wanted = wantedOf(current)
    if (samePreferences(preferencesOf(current, settings), wanted)) return undefined
    outcome = 'updated'
    return withPreferences(current, wanted, head, settings)
  })
  return { outcome }
}

function preferenceCells({ categories, cadence, day, at, timeZone, locale }: CsvRow) {
  return { categories, cadence, day, at, timeZone, locale }
}

/** Proof is an instant in the past and a text; one without the other is none. */
function readConsent(row: CsvRow, now: Date): Consent | undefined {
  const when = row.confirmedAt?.trim() ?? ''
  const text = row.consent?.trim() ?? ''
  if (when === '') return undefined
  const at = readInstant(when)
  if (at === undefined) {
    throw refusal('its `confirmedAt` is not an instant such as `2026-03-02T08:00:00Z` or a date')
  }
  // Clocks differ; a day allows for a date in a zone ahead of ours.
  if (at.getTime() > now.getTime() + 24 * 60 * 60 * 1000) {
    throw refusal('its `confirmedAt` lies in the future')
  }
  if (text === '') return undefined
  return { at: at.toISOString(), source: 'import', text: text.slice(0, 2000) }
}

function refusal(why: string) {
  return new ServiceError(422, 'import.confirmed-at', `This row cannot be taken: ${why}.`)
}
