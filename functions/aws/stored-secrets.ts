import { recordKeys } from '../keys.ts'
import type { RecordStore } from '../platform.ts'
import { newKey, newLinkKey, type Secrets } from '../secrets.ts'

interface LinkKeys {
  keys: { id: string; key: string }[]
}

/** How long a warm function goes on with the keys it has, milliseconds: a rotation is seen after it. */
const freshMilliseconds = 60_000

/**
 * Secrets in the table, each made by whoever needs it first (put if absent), so that none stands in
 * a template or an output. The same object always shows the present keys.
 */
export async function storedSecrets({ records, now }: { records: RecordStore; now: () => Date }) {
  let subscribers = await kept(records, 'subscribers', { key: newKey() })
  let links = await kept<LinkKeys>(records, 'links', { keys: [newLinkKey()] })
  let readAt = now().getTime()

  const secrets: Secrets = {
    get subscribers() {
      return subscribers.key
    },
    get links() {
      return links.keys
    },
  }
  return {
    secrets,
    /** Reads the links' keys again if a minute has passed. To be awaited before a request or job. */
    async refresh(): Promise<void> {
      if (Math.abs(now().getTime() - readAt) < freshMilliseconds) return
      const before = links.keys[0]?.id
      links = await kept<LinkKeys>(records, 'links', links)
      // A restore brings both, and a rotation is too rare to be told from it.
      if (links.keys[0]?.id !== before)
        subscribers = await kept(records, 'subscribers', subscribers)
      readAt = now().getTime()
    },
    async rotateLinks(): Promise<void> {
      for (;;) {
        const stored = await records.get<LinkKeys>(recordKeys.secret('links'))
        const next: LinkKeys = { keys: [newLinkKey(), ...(stored?.value.keys ?? [])] }
        const outcome = await records.put(
          { ...recordKeys.secret('links'), value: next },
          stored ? { ifVersion: stored.version } : { ifAbsent: true },
        )
        if (outcome.status === 'conflict') continue
        links = next
        return
      }
    },
  }
}

/**
 * Puts the keys of a backup in place of the table's own, which nobody may be known by yet: readers keep
 * their ids, links already mailed still work, and so do those that were signed here meanwhile. Repeatable.
 */
export async function takeSecrets(records: RecordStore, secrets: Secrets): Promise<void> {
  await records.put({ ...recordKeys.secret('subscribers'), value: { key: secrets.subscribers } })
  const own = (await records.get<LinkKeys>(recordKeys.secret('links')))?.value.keys ?? []
  const taken = new Set(secrets.links.map(({ id }) => id))
  const keys = [...secrets.links, ...own.filter(({ id }) => !taken.has(id))]
  await records.put<LinkKeys>({ ...recordKeys.secret('links'), value: { keys } })
}

async function kept<T>(records: RecordStore, name: 'subscribers' | 'links', fresh: T): Promise<T> {
  const key = recordKeys.secret(name)
  const before = await records.get<T>(key)
  if (before) return before.value
  await records.put({ ...key, value: fresh }, { ifAbsent: true })
  const after = await records.get<T>(key)
  if (!after) throw new Error(`the secret \`${name}\` was stored and is not there`)
  return after.value
}
