import type { Platform } from '../../functions/platform.ts'
import type { PostOutcome } from '../../functions/posts/publish.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { normaliseAddress, subscriberIdOf } from '../../functions/subscribers/address.ts'
import { changePreferences } from '../../functions/subscribers/change-preferences.ts'
import { startingNow } from '../../functions/subscribers/choices.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import { newReader } from '../../functions/subscribers/subscribe.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import { tick } from '../../functions/tick.ts'
import type { ScratchPlatform } from '../support/scratch-platform.ts'

/** A confirmed reader, by default of everything, daily at 08:00 UTC. */
export async function confirmReader(
  platform: Platform,
  email: string,
  wanted: Partial<Preferences> = {},
): Promise<string> {
  const address = normaliseAddress(email)
  const id = subscriberIdOf(platform, address)
  const preferences: Preferences = {
    categories: [],
    cadence: 'daily',
    at: '08:00',
    timeZone: 'UTC',
    locale: 'en',
    ...wanted,
  }
  await changeSubscriber(platform, id, (current, head) => ({
    ...startingNow(current ?? newReader(id, preferences, platform.now()), preferences, head),
    email: address,
  }))
  return id
}

/** A reader changes some of their choices, as on the page of preferences. */
export async function changeChoices(
  platform: Platform,
  id: string,
  wanted: Partial<Preferences>,
): Promise<void> {
  const reader = (await getSubscriber(platform, id))?.value
  if (!reader) throw new Error(`no reader ${id}`)
  const preferences = { ...preferencesOf(reader, platform.settings), ...wanted }
  await changePreferences(platform, id, preferences)
}

export interface Article {
  id?: string
  title?: string
  categories?: string[]
  published?: string
  mail?: 'digest' | 'letter' | 'none'
  mailAt?: string
  content?: string
}

/** Publishes, or edits what has the id. Its id is given back. */
export async function publishArticle(
  platform: Platform,
  { id, title = 'A post', content = 'Some text.', ...rest }: Article,
  options: { mailAgain?: boolean } = {},
): Promise<string> {
  const source = { id, title, content, contentType: 'text/markdown', ...rest }
  const outcome = await publishPost(
    platform,
    {
      bytes: new TextEncoder().encode(JSON.stringify(source)),
      contentType: 'application/json',
    },
    { way: 'publish', ...options },
  )
  if (!('post' in outcome)) throw new Error(`not published: ${JSON.stringify(outcome)}`)
  return (outcome as PostOutcome).post.id
}

/** The clock goes to an instant, and a tick does what is due there. */
export async function tickAt(platform: ScratchPlatform, instant: string) {
  platform.setNow(instant)
  const report = await tick(platform)
  await platform.settle()
  return report
}
