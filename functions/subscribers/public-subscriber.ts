import * as v from 'valibot'
import type { Settings } from '../settings/settings.ts'
import { preferencesOf } from './preferences.ts'
import { cadences, type Subscriber, subscriberStates } from './subscriber.ts'

/** A reader as the API and the reader's own export show them. */
export const subscriberSchema = v.object({
  id: v.string(),
  email: v.optional(v.string()),
  state: v.picklist(subscriberStates),
  reason: v.optional(v.string()),
  categories: v.array(v.string()),
  cadence: v.picklist(cadences),
  day: v.optional(v.string()),
  at: v.string(),
  timeZone: v.string(),
  locale: v.string(),
  pausedUntil: v.optional(v.string()),
  consent: v.optional(
    v.object({
      at: v.string(),
      source: v.string(),
      from: v.optional(v.string()),
      text: v.optional(v.string()),
    }),
  ),
  createdAt: v.string(),
  confirmedAt: v.optional(v.string()),
  unsubscribedAt: v.optional(v.string()),
})

export type PublicSubscriber = v.InferOutput<typeof subscriberSchema>

/** Without what only the ledger needs. `categories` is empty for everything. */
export function publicSubscriber(
  subscriber: Subscriber,
  settings: Pick<Settings, 'categories'>,
): PublicSubscriber {
  const { id, email, state, reason, pausedUntil, consent } = subscriber
  const { createdAt, confirmedAt, unsubscribedAt } = subscriber
  return {
    id,
    ...(email === undefined ? {} : { email }),
    state,
    ...(reason === undefined ? {} : { reason }),
    ...preferencesOf(subscriber, settings),
    ...(state === 'paused' && pausedUntil ? { pausedUntil } : {}),
    ...(consent === undefined ? {} : { consent }),
    createdAt,
    ...(confirmedAt === undefined ? {} : { confirmedAt }),
    ...(unsubscribedAt === undefined ? {} : { unsubscribedAt }),
  }
}
