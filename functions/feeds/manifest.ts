import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { BodyOf } from '../posts/post-body.ts'
import type { FeedEntry } from './entry.ts'

/** Bodies of a feed's newest entries, by `id/revision`: what a rendering need not fetch again. */
export type Bodies = ReadonlyMap<string, string>

const format = 1

/**
 * The bodies that the last rendering of a feed kept. Only a cache: the date index decides what is
 * in a feed, a body never changes under its revision, and an absent or broken manifest is empty.
 */
export async function readManifest(
  { objects, log }: Pick<Platform, 'objects' | 'log'>,
  feed: string,
): Promise<Bodies> {
  const stored = await objects.get(objectKeys.manifest(feed))
  if (!stored) return new Map()
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(stored.body))
    if (value.format !== format) return new Map()
    const bodies = Object.entries(value.bodies as Record<string, unknown>)
    if (bodies.some(([, html]) => typeof html !== 'string')) throw new TypeError('no text')
    return new Map(bodies as [string, string][])
  } catch (error) {
    log.warn('feed.manifest-broken', { feed, reason: String(error) })
    return new Map()
  }
}

/** Keeps the bodies of these entries, unless exactly they are kept already. */
export async function writeManifest(
  { objects }: Pick<Platform, 'objects'>,
  feed: string,
  entries: readonly FeedEntry[],
  kept: Bodies,
): Promise<void> {
  const bodies = new Map(entries.map(({ post, html }) => [manifestKey(post), html]))
  if (bodies.size === kept.size && [...bodies.keys()].every((key) => kept.has(key))) return
  const value = { format, bodies: Object.fromEntries(bodies) }
  await objects.put(objectKeys.manifest(feed), new TextEncoder().encode(JSON.stringify(value)), {
    contentType: 'application/json',
  })
}

export function manifestKey({ id, revision }: BodyOf): string {
  return `${id}/${revision}`
}
