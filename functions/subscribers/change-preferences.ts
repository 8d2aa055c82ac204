import type { Platform } from '../platform.ts'
import { currentSlug, listCategories } from '../posts/categories.ts'
import { dropChangesOf } from './address-changes.ts'
import { samePreferences, startingNow, withoutCategory, withPreferences } from './choices.ts'
import { changeAndTidy, changeSubscriber } from './memberships.ts'
import { preferencesOf } from './preferences.ts'
import { getSubscriber } from './store.ts'

import { isReader, type Preferences, type Subscriber } from './subscriber.ts'
import { dropRequests } from './subscription-requests.ts'

/** Who a change is about: the reader as they stand afterwards, or `undefined` when there is none. */
type Changed = Promise<Subscriber | undefined>

/**
 * Other categories, another time, zone or language for a reader, paused or not. Nothing that is
 * owed is lost by it, and nothing comes twice. One who is not a reader stays as they are.
 */
export function changePreferences(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  id: string,
  preferences: Preferences,
): Changed {
  return changeAndTidy(platform, id, (current, head) => {
    if (!current || !isReader(current)) return undefined
    if (samePreferences(preferencesOf(current, platform.settings), preferences)) return undefined
    return withPreferences(current, preferences, head, platform.settings)
  })
}

/**
 * Brings one who left back, on their own word: they hold a link that was mailed to them. What was
 * listed meanwhile is not owed. Suppressed and erased readers stay away.
 */
export async function subscribeAgain(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  id: string,
  preferences?: Preferences,
): Changed {
  const known = (await getSubscriber(platform, id))?.value
  // They come back to the old address instead of going to the new one.
  if (known && isMoving(known)) await dropChangesOf(platform, id)
  return changeSubscriber(platform, id, (current, head) =>
    current?.state === 'unsubscribed' && current.email !== undefined
      ? startingNow(current, preferences ?? preferencesOf(current, platform.settings), head)
      : undefined,
  )
}

/**
 * Ends all mail to a reader, or that of one category; leaving the last category is leaving. In
 * effect with the next claim, also in the middle of a run. Repeating it changes nothing. One who
 * changed the address since the link was mailed leaves at the new one.
 */
export async function unsubscribe(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  id: string,
  category?: string,
): Changed {
  const { settings } = platform
  const slug = category === undefined ? undefined : currentSlug(settings, category)
  const known =
    slug === undefined ? [] : (await listCategories(platform)).map((listed) => listed.slug)
  let target: string
  let left: Subscriber | undefined
  do {
    target = await presentId(platform, id)
    left = await changeAndTidy(platform, target, (current, head) => {
      if (!current || !(isReader(current) || isMoving(current))) return undefined
      if (slug === undefined) return leaving(current, platform.now())
      const chosen = preferencesOf(current, settings).categories
      if (!(chosen.length > 0 ? chosen : known).includes(slug)) return undefined
      return (
        withoutCategory(current, slug, known, head, settings) ?? leaving(current, platform.now())
      )
    })
    // A move that was finished between the look and the change has taken them elsewhere.
  } while (left?.movedTo !== undefined && (await presentId(platform, id)) !== target)
  // One who never confirmed leaves by the request being forgotten.
  if (slug === undefined && left?.state === 'pending') await dropRequests(platform, target)
  // A change of address that waits must not bring them back.
  if (left?.state === 'unsubscribed' && !isMoving(left)) await dropChangesOf(platform, target)
  return left
}

/** Whose item stands for a reader now; a chain of moves has an end. */
export async function presentId(platform: Pick<Platform, 'records'>, id: string): Promise<string> {
  let present = id
  let item = (await getSubscriber(platform, id))?.value
  for (let moves = 0; item?.movedTo !== undefined && moves < 20; moves++) {
    const next = (await getSubscriber(platform, item.movedTo))?.value
    // Up to the new item's opening the old one says what it will be.
    if (isMoving(item) && !(next && isReader(next))) break
    present = item.movedTo
    item = next
  }
  return present
}

/** Between two addresses: a mail to the old one is under way. */
function isMoving({ state, movedTo }: Subscriber): boolean {
  return state === 'unsubscribed' && movedTo !== undefined
}

function leaving(current: Subscriber, now: Date): Subscriber {
  const { catchUp: _catchUp, pausedUntil: _until, movedTo: _movedTo, ...rest } = current
  return { ...rest, state: 'unsubscribed', unsubscribedAt: now.toISOString() }
}
