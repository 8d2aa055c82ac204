import { createHash, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { invalid } from '../errors.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'

/** Answers are given again for so long. */
const keptMs = 24 * 3600 * 1000

/** An answer that can be given again word for word. */
export interface KeptAnswer {
  status: number
  body: string
  headers: Record<string, string>
}

interface IdempotencyRecord {
  request: string
  /** Makes the receipt another one when the key is used again after its time. */
  nonce: string
  answer?: KeptAnswer
}

/**
 * Runs a request once for each `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the
 * same request again, also at the same moment or after a crash, gets the same answer; another one
 * under that key is refused. Without the header it simply runs.
 *
 * `run` gets a receipt, a name of the request, and must be safe to repeat under it: between its end
 * and the keeping of its answer there may be a crash. What it throws is not kept.
 */
export async function answerOnce(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  c: Context,
  body: Uint8Array,
  run: (receipt: string | undefined) => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const header = c.req.header('idempotency-key')
  if (header === undefined) return run(undefined)
  if (!/^[\x20-\x7e]{1,255}$/.test(header)) {
    throw invalid(
      'idempotency.key',
      'An `Idempotency-Key` has 1 to 255 printable ASCII characters.',
    )
  }
  // Two publishers may choose the same key; the API key tells them apart.
  const hash = hashOf(`${c.req.header('authorization') ?? ''}\n${header}`)
  const url = new URL(c.req.url)
  const request = hashOf(
    `${c.req.method}\n${url.pathname}${url.search}\n${c.req.header('content-type') ?? ''}\n`,
    body,
  )
  const key = recordKeys.idempotency(hash)
  const expiresAt = new Date(now().getTime() + keptMs)

  let value: IdempotencyRecord = { request, nonce: randomBytes(8).toString('hex') }
  const claim = await records.put({ ...key, value, expiresAt }, { ifAbsent: true })
  if (claim.status === 'conflict') {
    const kept = await records.get<IdempotencyRecord>(key)
    if (kept && kept.value.request !== request) {
      throw invalid(
        'idempotency.mismatch',
        'This `Idempotency-Key` was used for another request within the last 24 hours. Use a new key for a new request.',
      )
    }
    if (kept?.value.answer) return kept.value.answer
    value = kept?.value ?? value
  }
  const answer = await run(hashOf(hash, value.nonce))
  for (;;) {
    const kept = await records.get<IdempotencyRecord>(key)
    if (kept?.value.answer) return kept.value.answer
    const outcome = await records.put(
      { ...key, value: { ...value, answer }, expiresAt },
      kept ? { ifVersion: kept.version } : { ifAbsent: true },
    )
    if (outcome.status === 'stored') return answer
  }
}

function hashOf(...parts: (string | Uint8Array)[]) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
