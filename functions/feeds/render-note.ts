import { createHash, randomBytes } from 'node:crypto'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { standsStill } from '../stands-still.ts'

/**
 * What is known of a feed's renderings, in one item. Documents alone cannot tell a late writer off:
 * when a change is taken back, the newer rendering has the bytes that are stored already, writes
 * nothing, and an older one still under way would find nothing newer in its way. So each notes
 * itself here before it looks at a document, and whoever finds that a newer one was about renders
 * once more before it goes. One that dies leaves its note, which counts as being behind.
 */
export interface RenderNote {
  /** The count of changes that the newest finished rendering read first. */
  count: number
  /** What beside the posts it was rendered with. */
  look: string
  /** Renderings under way, by token. */
  open: Record<string, { count: number; at: string }>
}

type Store = Pick<Platform, 'records' | 'now'>

/** Hash of everything beside the posts that feeds and their pages show. */
export function lookOf({ settings, version }: Pick<Platform, 'settings' | 'version'>): string {
  const { site, categories, feeds, keep }: Settings = settings
  return createHash('sha256')
    .update(JSON.stringify([version, site, categories, feeds, keep.tombstonesDays]))
    .digest('base64url')
    .slice(0, 22)
}

/** Whether a feed must be rendered again. */
export function isBehind(
  note: RenderNote | undefined,
  dirty: number,
  look: string,
  now: Date,
): boolean {
  if (!note || note.count < dirty || note.look !== look) return true
  return Object.values(note.open).some(({ at }) => standsStill(at, now))
}

/**
 * Notes a rendering before it looks at any document; returns its token. It takes over from those
 * that died: whatever they left, this one mends, or its own note stays behind in their place.
 */
export async function openRendering(
  store: Store,
  feed: string,
  count: number,
  token = randomBytes(6).toString('base64url'),
): Promise<string> {
  await changeNote(store, feed, (note) => {
    const alive = Object.entries(note.open).filter(([, { at }]) => !standsStill(at, store.now()))
    const mine = { count, at: store.now().toISOString() }
    return { ...note, open: { ...Object.fromEntries(alive), [token]: mine } }
  })
  return token
}

/**
 * Ends a rendering whose documents and pages are written, unless a newer one was about at the same
 * time: what that one left alone may have been overwritten. Then the note stays, and the caller
 * renders once more under the same token.
 */
export async function closeRendering(
  store: Store,
  feed: string,
  token: string,
  count: number,
  look: string,
): Promise<'closed' | 'again'> {
  let outcome: 'closed' | 'again' = 'closed'
  await changeNote(store, feed, (note) => {
    const { [token]: mine, ...others } = note.open
    const isNewerAbout =
      note.count > count || Object.values(others).some((other) => other.count > count)
    // Without its own entry it was taken for dead, and mended before its last write.
    outcome = isNewerAbout || !mine ? 'again' : 'closed'
    return outcome === 'again' ? undefined : { count, look, open: others }
  })
  return outcome
}

/** Reads and rewrites the item until no other write comes between; `undefined` leaves it. */
async function changeNote(
  { records }: Store,
  feed: string,
  change: (note: RenderNote) => RenderNote | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const stored = await records.get<RenderNote>(recordKeys.rendered(feed))
    const next = change(stored?.value ?? { count: -1, look: '', open: {} })
    if (!next) return
    const outcome = await records.put(
      { ...recordKeys.rendered(feed), value: next },
      stored ? { ifVersion: stored.version } : { ifAbsent: true },
    )
    if (outcome.status === 'stored') return
  }
  throw new Error('the note of a feed’s renderings is changed by others all the time')
}
