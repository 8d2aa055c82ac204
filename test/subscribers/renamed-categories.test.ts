import fc from 'fast-check'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { choiceFor } from '../../functions/digests/editions/owed.ts'
import { currentSlug } from '../../functions/posts/categories.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { normaliseAddress, subscriberIdOf } from '../../functions/subscribers/address.ts'
import { withoutCategory, withPreferences } from '../../functions/subscribers/choices.ts'
import { exportSubscribers } from '../../functions/subscribers/export-subscribers.ts'
import { signLink } from '../../functions/subscribers/links.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import {
  confirmSubscription,
  pendingConfirmation,
  requestSubscription,
} from '../../functions/subscribers/subscribe.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import {
  keepMailedRequest,
  latestRequest,
} from '../../functions/subscribers/subscription-requests.ts'
import { confirmReader, publishArticle, tickAt } from '../digests/newsroom.ts'
import { scriptedMailer } from '../digests/scripted-mailer.ts'
import { mailText } from '../digests/sequences/newsroom-days.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { aReader, preferencesFor } from './readers.ts'

const ada = 'ada@example.org'
const mailer = scriptedMailer()
let platform: ScratchPlatform
afterEach(async () => {
  mailer.sent.length = 0
  await platform.close()
})

async function begin(): Promise<void> {
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
}

/** The publisher gives `old` and `older` another name. */
function rename(): { app: Hono; link: (kind: 'preferences' | 'unsubscribe') => string } {
  const categories = { new: { renamedFrom: ['old', 'older'] }, other: {} }
  platform = { ...platform, settings: { ...platform.settings, categories } }
  const app = new Hono().route('/', subscriberPages(platform))
  return { app, link: (kind) => `/${kind}/${signLink(platform, kind, idOf(ada))}` }
}

const idOf = (email: string) => subscriberIdOf(platform, normaliseAddress(email))
const chosen = async () => (await getSubscriber(platform, idOf(ada)))?.value.categories
const post = (app: Hono, path: string, form: URLSearchParams) =>
  app.request(path, {
    method: 'POST',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

/** What a browser sends of the first form on a page. */
function formOn(html: string): URLSearchParams {
  const form = new URLSearchParams()
  const first = html.slice(html.indexOf('<form'), html.indexOf('</form>'))
  for (const [tag] of first.matchAll(/<input[^>]*>/g)) {
    const of = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]
    const name = of('name')
    const isOff = ['checkbox', 'radio'].includes(of('type') ?? '') && !/ checked/.test(tag)
    if (name && !isOff) form.append(name, of('value') ?? '')
  }
  return form
}

describe('one whose category has another name now', () => {
  it('finds it chosen, keeps it with whatever else is saved, and gets what was owed under both names', async () => {
    await begin()
    await confirmReader(platform, ada, { categories: ['old'] })
    await publishArticle(platform, { title: 'Post-1-', categories: ['old'] })
    const { app, link } = rename()
    const form = formOn(await (await app.request(link('preferences'))).text())
    expect(form.getAll('categories').filter(Boolean)).toEqual(['new'])
    form.set('locale', 'de')
    expect((await post(app, link('preferences'), form)).status).toBe(200)
    expect(await chosen()).toEqual({ new: 0 })
    await publishArticle(platform, { title: 'Post-2-', categories: ['new'] })
    await publishArticle(platform, { title: 'Post-3-', categories: ['other'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(mailer.sent.map(({ raw }) => mailText(raw))).toEqual([
      { locale: 'de', titles: ['Post-1-', 'Post-2-'] },
    ])
  })

  it.each(['new', 'old'])('leaves it with one click on a link that calls it %s', async (name) => {
    await begin()
    await confirmReader(platform, ada, { categories: ['old', 'older', 'other'] })
    const { app, link } = rename()
    await publishArticle(platform, { categories: ['new'] })
    const oneClick = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
    const answer = await post(app, `${link('unsubscribe')}?category=${name}`, oneClick)
    expect(answer.status).toBe(200)
    expect(Object.keys((await chosen()) ?? {})).toEqual(['other'])
  })

  it('may use the old name where it is written down: a form, a list, a program', async () => {
    await begin()
    await confirmReader(platform, ada, { categories: ['other'] })
    const { app, link } = rename()
    const form = new URLSearchParams({ categories: 'old' })
    expect((await post(app, link('preferences'), form)).status).toBe(200)
    expect(Object.keys((await chosen()) ?? {})).toEqual(['new'])
  })

  it('is exported under the present name, once where two became one', async () => {
    await begin()
    await confirmReader(platform, ada, { categories: ['old', 'older'] })
    rename()
    const csv = (await Array.fromAsync(exportSubscribers(platform))).join('')
    expect(csv).toContain(`${ada},new,daily`)
  })

  it('confirms by a link from before', async () => {
    await begin()
    await requestSubscription(platform, {
      email: ada,
      preferences: preferencesFor({ categories: ['old', 'older'] }),
      consent: { source: 'form' },
    })
    const request = await latestRequest(platform, idOf(ada))
    if (!request) throw new Error('nothing was asked')
    await keepMailedRequest(platform, idOf(ada), request)
    rename()
    const { nonce } = request
    expect((await pendingConfirmation(platform, idOf(ada), nonce))?.wanted.categories).toEqual([
      'new',
    ])
    await confirmSubscription(platform, idOf(ada), nonce)
    expect(Object.keys((await chosen()) ?? {})).toEqual(['new'])
  })
})

describe('through any chain of renames and merges', () => {
  const names = ['a', 'b', 'c', 'd', 'e'] as const
  const slugs = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 })
  const steps = fc.array(
    fc.oneof(
      fc.record({
        do: fc.constant('rename' as const),
        from: fc.constantFrom(...names),
        to: fc.constantFrom(...names),
      }),
      fc.record({ do: fc.constant('publish' as const), slugs }),
      fc.record({ do: fc.constant('save' as const), locale: fc.constantFrom('de', 'en') }),
      fc.record({ do: fc.constant('choose' as const), slugs, andMore: fc.boolean() }),
      fc.record({ do: fc.constant('leave' as const), slug: fc.constantFrom(...names) }),
    ),
    { minLength: 5, maxLength: 40, size: 'max' },
  )

  it('saving changes nothing that is owed, what stays chosen stays owed, and what is left is owed no more', () => {
    fc.assert(
      fc.property(slugs, steps, (first, all) => {
        const former = new Map<string, string[]>(names.map((name) => [name, []]))
        const posts: string[][] = []
        let settings = { ...defaultSettings, categories: {} }
        let reader = aReader({}, { categories: first })
        const owed = (on: Subscriber) =>
          posts.flatMap((categories, i) =>
            choiceFor(on, { categories }, i + 1, settings) === undefined ? [] : [i + 1],
          )
        const present = (listed: readonly string[]) =>
          [...new Set(listed.map((slug) => currentSlug(settings, slug)))].sort()
        for (const step of all) {
          const before = owed(reader)
          const preferences = preferencesOf(reader, settings)
          const head = posts.length
          const isOf = (n: number, listed: readonly string[]) =>
            present(posts[n - 1] ?? []).some((slug) => listed.includes(slug))
          const current = reader
          /** Posts that are owed through one of these categories alone. */
          const through = (listed: readonly string[]) =>
            before.filter((n) =>
              listed.some(
                (slug) =>
                  isOf(n, [slug]) &&
                  choiceFor(current, { categories: [slug] }, n, settings) !== undefined,
              ),
            )
          switch (step.do) {
            case 'rename': {
              const old = former.get(step.from)
              if (!old || !former.has(step.to) || step.from === step.to) break
              former.delete(step.from)
              former.get(step.to)?.push(step.from, ...old)
              const entries = [...former].map(([name, renamedFrom]) => [name, { renamedFrom }])
              settings = { ...settings, categories: Object.fromEntries(entries) }
              for (const n of before) expect(owed(reader)).toContain(n)
              break
            }
            case 'publish':
              posts.push(step.slugs)
              break
            case 'save':
              reader = withPreferences(
                reader,
                { ...preferences, locale: step.locale },
                head,
                settings,
              )
              expect(owed(reader)).toEqual(before)
              expect(preferencesOf(reader, settings).categories).toEqual(preferences.categories)
              break
            case 'choose': {
              const categories = present([
                ...(step.andMore ? preferences.categories : []),
                ...step.slugs,
              ])
              reader = withPreferences(reader, { ...preferences, categories }, head, settings)
              const kept = categories.length === 0 ? before : through(categories)
              for (const n of kept) expect(owed(reader)).toContain(n)
              break
            }
            case 'leave': {
              const slug = currentSlug(settings, step.slug)
              const left = withoutCategory(reader, slug, [...former.keys()], head, settings)
              if (!left) break
              reader = left
              const { categories } = preferencesOf(reader, settings)
              expect(categories).not.toContain(slug)
              for (const n of owed(reader)) expect(isOf(n, categories)).toBe(true)
              for (const n of through(categories)) expect(owed(reader)).toContain(n)
              break
            }
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
