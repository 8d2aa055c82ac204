import type { Platform } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { csvHeader, writeRow } from './csv.ts'
import { allSubscribers } from './list-subscribers.ts'
import { preferencesOf } from './preferences.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * All readers as CSV (UTF-8, CRLF), in the order of their ids: those who are confirmed, paused or
 * still to confirm. Who left or may not be mailed is left out, so that no other service subscribes
 * them by the file. Reading the file in again changes nothing.
 */
export async function* exportSubscribers(
  platform: Pick<Platform, 'records' | 'settings'>,
): AsyncGenerator<string, void, undefined> {
  yield csvHeader
  for await (const subscriber of allSubscribers(platform)) {
    if (subscriber.email === undefined) continue
    if (subscriber.state === 'unsubscribed' || subscriber.state === 'suppressed') continue
    yield rowOf(subscriber, platform.settings)
  }
}

function rowOf(subscriber: Subscriber, settings: Pick<Settings, 'categories'>): string {
  const { email = '', state, confirmedAt, consent } = subscriber
  const { categories, cadence, day, at, timeZone, locale } = preferencesOf(subscriber, settings)
  const proof =
    state === 'pending' ? ['', ''] : [confirmedAt ?? consent?.at ?? '', consentText(subscriber)]
  return writeRow([email, categories.join(' '), cadence, day ?? '', at, timeZone, locale, ...proof])
}

/** What the proof says, in one cell; never empty, since an empty one is no proof. */
function consentText({ consent }: Subscriber): string {
  if (!consent) return 'confirmed'
  if (consent.source === 'import') return consent.text ?? 'import'
  return [consent.source, consent.from, consent.text].filter(Boolean).join(': ')
}
