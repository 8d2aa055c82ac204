import type { Platform } from '../platform.ts'
import { listCategories } from '../posts/categories.ts'
import { samePreferences, startingNow, withoutCategory, withPreferences } from './choices.ts'
import { changeSubscriber } from './memberships.ts'
import { preferencesOf } from './preferences.ts'
import { getSubscriber } from './store.ts'
import { isReader } from './subscribe.ts'
import type { Preferences, Subscriber } from './subscriber.ts'
import { dropRequests } from './subscription-requests.ts'

/** Who a change is about: the reader as they stand afterwards, or `undefined` when there is none. */
type Changed = Promise<Subscriber | undefined>

/**
 * Other categories, another time, zone or language for a reader, paused or not. Nothing that is
 * owed is lost by it, and nothing comes twice. One who is not a reader stays as they are.
 */
export function changePreferences(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  preferences: Preferences,
): Changed {
  return changeSubscriber(platform, id, (current, head) => {
    if (!current || !isReader(current)) return undefined
    if (samePreferences(preferencesOf(current), preferences)) return undefined
    return withPreferences(current, preferences, head)
  })
}

/**
 * Brings one who left back, on their own word: they hold a link that was mailed to them. What was
 * listed meanwhile is not owed. Suppressed and erased readers stay away.
 */
export function subscribeAgain(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  preferences?: Preferences,
): Changed {
  return changeSubscriber(platform, id, (current, head) =>
    current?.state === 'unsubscribed' && current.email !== undefined
      ? startingNow(current, preferences ?? preferencesOf(current), head)
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
  const target = await presentId(platform, id)
  if (category === undefined) {
    const left = await changeSubscriber(platform, target, (current) =>
      current && isReader(current) ? leaving(current, platform.now()) : undefined,
    )
    // One who never confirmed leaves by the request being forgotten.
    if (left?.state === 'pending') await dropRequests(platform, target)
    if (target !== id && (!left || !isReader(left))) await stopMoving(platform, id, target)
    return left
  }
  const known = (await listCategories(platform)).map(({ slug }) => slug)
  return changeSubscriber(platform, target, (current, head) => {
    if (!current || !isReader(current)) return undefined
    const chosen = preferencesOf(current).categories
    if (chosen.length > 0 && !chosen.includes(category)) return undefined
    if (chosen.length === 0 && !known.includes(category)) return undefined
    return withoutCategory(current, category, known, head) ?? leaving(current, platform.now())
  })
}

/** Where a reader has moved to; a chain of moves has an end. */
async function presentId(platform: Pick<Platform, 'records'>, id: string): Promise<string> {
  let present = id
  for (let moves = 0; moves < 20; moves++) {
    const next = (await getSubscriber(platform, present))?.value.movedTo
    if (!next) break
    present = next
  }
  return present
}

/** A change of address that still waits for a mail's end must not bring back one who leaves now. */
async function stopMoving(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  target: string,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => {
    if (current?.state !== 'unsubscribed' || current.movedTo !== target) return undefined
    const { movedTo: _movedTo, ...rest } = current
    return rest
  })
}

function leaving(current: Subscriber, now: Date): Subscriber {
  const { catchUp: _catchUp, pausedUntil: _pausedUntil, ...rest } = current
  return { ...rest, state: 'unsubscribed', unsubscribedAt: now.toISOString() }
}
