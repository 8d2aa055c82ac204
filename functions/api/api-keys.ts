import { createHash, randomBytes } from 'node:crypto'
import { invalid } from '../errors.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { type Scope, scopes } from './api-key-scopes.ts'

export { type Scope, scopes }

export interface ApiKey {
  name: string
  scopes: readonly Scope[]
  createdAt: string
}

/**
 * Stands in for a key: who gives it to `app.request` as the environment of a request is in this
 * process and holds the platform itself, so a key would prove nothing that they could not make, and
 * none has to be stored for them. Known by identity: nothing that comes over HTTP can be it.
 */
export const owner = Object.freeze({})

/** Makes a key. Only its hash is stored: the returned `key` is shown once and cannot be read again. */
export async function createApiKey(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  name: string,
  allowed: readonly Scope[] = scopes,
): Promise<ApiKey & { key: string }> {
  if (!/^[\p{L}\p{N} ._-]{1,64}$/u.test(name)) {
    throw invalid(
      'key.name',
      'A key needs a name of 1 to 64 letters, digits, blanks, `.`, `_` or `-`.',
    )
  }
  if ((await listApiKeys({ records })).some((key) => key.name === name)) {
    throw invalid(
      'key.name-taken',
      `A key named \`${name}\` exists. Revoke it first or choose another name.`,
    )
  }
  const key = `bs_live_${randomBytes(32).toString('base64url')}`
  const value: ApiKey = { name, scopes: allowed, createdAt: now().toISOString() }
  await records.put({ ...recordKeys.apiKey(hashOf(key)), value })
  return { ...value, key }
}

/** In order of their hashes; a service has a handful. */
export async function listApiKeys({ records }: Pick<Platform, 'records'>): Promise<ApiKey[]> {
  const page = await records.query<ApiKey>(recordKeys.apiKeys)
  return page.records.map((record) => record.value)
}

/** Whether there was one. A revoked key is refused by the next request. */
export async function revokeApiKey(
  { records }: Pick<Platform, 'records'>,
  name: string,
): Promise<boolean> {
  const page = await records.query<ApiKey>(recordKeys.apiKeys)
  const found = page.records.filter((record) => record.value.name === name)
  for (const record of found) await records.delete(record)
  return found.length > 0
}

/** The key of a request's `Authorization: Bearer …`, or `undefined`. Looked up by hash, so no secret is compared. */
export async function findApiKey(
  { records }: Pick<Platform, 'records'>,
  authorization: string | undefined,
): Promise<ApiKey | undefined> {
  const key = /^Bearer ([\w-]{20,200})$/i.exec(authorization ?? '')?.[1]
  if (!key) return undefined
  return (await records.get<ApiKey>(recordKeys.apiKey(hashOf(key))))?.value
}

function hashOf(key: string) {
  return createHash('sha256').update(key).digest('hex')
}
