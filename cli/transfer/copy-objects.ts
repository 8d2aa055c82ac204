import type { ObjectStore } from '../../functions/platform.ts'

export interface CopiedObjects {
  objects: number
  bytes: number
}

/** Each is a post or a mail, a few MB at most. */
const atATime = 8

/**
 * Copies the objects under a prefix, under the keys that `keyIn` gives them. One that is there with
 * the same key and size stays: these objects are never rewritten, so whoever was broken off goes on
 * where they were. What is counted is all that is there afterwards.
 */
export async function copyObjects(
  from: Pick<ObjectStore, 'get' | 'list'>,
  to: ObjectStore,
  prefix: string,
  {
    keyIn = (key) => key,
    onCopied = () => {},
  }: { keyIn?: (key: string) => string; onCopied?: (count: number) => void } = {},
): Promise<CopiedObjects> {
  const copied: CopiedObjects = { objects: 0, bytes: 0 }
  let after: string | undefined
  for (;;) {
    const range = after === undefined ? {} : { after }
    const [page, standing] = await Promise.all([from.list(prefix, range), to.list(prefix, range)])
    const sizes = new Map(standing.objects.map(({ key, size }) => [key, size]))
    const missing = page.objects.filter(({ key, size }) => sizes.get(key) !== size)
    for (let i = 0; i < missing.length; i += atATime) {
      await Promise.all(
        missing.slice(i, i + atATime).map(({ key }) => copyObject(from, to, key, keyIn(key))),
      )
    }
    for (const { size } of page.objects) {
      copied.objects++
      copied.bytes += size
    }
    onCopied(copied.objects)
    after = page.objects.at(-1)?.key
    if (!page.more || after === undefined) return copied
  }
}

async function copyObject(
  from: Pick<ObjectStore, 'get'>,
  to: ObjectStore,
  key: string,
  newKey: string,
): Promise<void> {
  const found = await from.get(key)
  // Removed since it was listed.
  if (!found) return
  const { body, contentType, cacheControl, version } = found
  await to.put(newKey, body, {
    contentType,
    ...(cacheControl === undefined ? {} : { cacheControl }),
    ...(version === undefined ? {} : { version }),
  })
}
