import type { ErrorCode } from '../../functions/error-codes.ts'
import { ServiceError } from '../../functions/errors.ts'
import type { Post } from '../../functions/posts/post.ts'
import { defaultSettings, type Settings } from '../../functions/settings/settings.ts'
import { errorPage } from '../../functions/site/error-page.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import { addressChangeEmail } from '../../templates/emails/address-change-email.tsx'
import { confirmationEmail } from '../../templates/emails/confirmation-email.tsx'
import { type DigestEmailInput, digestEmail } from '../../templates/emails/digest-email.tsx'
import type { EmailPost } from '../../templates/emails/email.ts'
import { letterEmail } from '../../templates/emails/letter-email.tsx'
import { preferencesLinkEmail } from '../../templates/emails/preferences-link-email.tsx'
import { archivePage } from '../../templates/pages/archive-page.tsx'
import { categoryPage } from '../../templates/pages/category-page.tsx'
import { checkInboxPage } from '../../templates/pages/check-inbox-page.tsx'
import { confirmPage } from '../../templates/pages/confirm-page.tsx'
import { confirmedPage } from '../../templates/pages/confirmed-page.tsx'
import { editionPage } from '../../templates/pages/edition-page.tsx'
import { erasedPage } from '../../templates/pages/erased-page.tsx'
import { feedsPage } from '../../templates/pages/feeds-page.tsx'
import { homePage } from '../../templates/pages/home-page.tsx'
import { linkExpiredPage } from '../../templates/pages/link-expired-page.tsx'
import { olderPage } from '../../templates/pages/older-page.tsx'
import { outboxPage } from '../../templates/pages/outbox-page.tsx'
import { postPage } from '../../templates/pages/post-page.tsx'
import { preferencesPage } from '../../templates/pages/preferences-page.tsx'
import { subscribePage } from '../../templates/pages/subscribe-page.tsx'
import { unsubscribePage } from '../../templates/pages/unsubscribe-page.tsx'
import { unsubscribedPage } from '../../templates/pages/unsubscribed-page.tsx'
import { sampleCategories, samplePosts, sampleSites } from './sample-posts.ts'

export type SampleLocale = 'en' | 'de' | 'zh-CN'

/** Settings of a publisher who writes in a language. */
export function sampleSettings(locale: SampleLocale): Settings {
  return {
    ...defaultSettings,
    site: { ...defaultSettings.site, ...sampleSites[locale], baseUrl: 'http://127.0.0.1:8787' },
    mail: { ...defaultSettings.mail, postalAddress: sampleSites[locale].postalAddress },
  }
}

/** Every page in every state that readers meet, by name. */
export async function samplePages(locale: SampleLocale): Promise<Map<string, string>> {
  const settings = sampleSettings(locale)
  const context = { settings, locale }
  const posts = samplePosts(locale)
  const categories = sampleCategories(locale)
  const titles = new Map(categories.map(({ slug, title }) => [slug, title]))
  const forty = Array.from({ length: 40 }, (_, i) => ({
    slug: `category-${i}`,
    title: `${categories[i % categories.length]?.title} ${i + 1}`,
    posts: (i * 37) % 1200,
  }))
  const category = categories[0] ?? { slug: 'none', title: 'None' }
  const preferences: Preferences = {
    categories: categories.slice(0, 3).map(({ slug }) => slug),
    cadence: 'weekly',
    day: 'fri',
    at: '08:00',
    timeZone: 'Europe/Berlin',
    locale,
  }
  const subscriber = {
    state: 'confirmed' as const,
    email: 'reader@example.org',
    ...preferences,
    categories: Object.fromEntries(preferences.categories.map((slug) => [slug, 1])),
  }
  const cadences = settings.digests.cadences
  const token = 'AAEBw2-7pQ4tYxkWJpVZf2m3nRzL8sTqUeXcVbNmKjHgFdSaPo'
  const faults = [
    { path: 'email', message: 'This is not an address: it needs one `@`.' },
    { path: 'cadence', message: 'Choose how often.' },
  ]
  const first = posts[0] as Post
  const long = posts[1] as Post
  const html = sampleHtml(locale)
  const post = { ...context, html, text: html.replaceAll(/<[^>]+>/g, ' ') }
  const edition = sampleDigest(locale)
  const error = (status: number, code: ErrorCode) =>
    errorPage(new ServiceError(status, code, 'Too many tries. Wait an hour.'), { settings }, locale)
  return new Map([
    ['home', homePage({ ...context, posts, categories, older: '/older/x/' })],
    ['home-empty', homePage({ ...context, posts: [], categories: [] })],
    ['home-forty', homePage({ ...context, posts, categories: forty })],
    [
      'category',
      categoryPage({
        ...context,
        category,
        posts,
        categoryTitles: titles,
        older: '/categories/x/older/y/',
      }),
    ],
    [
      'older',
      olderPage({
        ...context,
        category,
        posts,
        categoryTitles: titles,
        path: '/older/x/',
        older: '/older/y/',
      }),
    ],
    ['category-empty', categoryPage({ ...context, category, posts: [], categoryTitles: titles })],
    ['post', postPage({ ...post, post: first, categories: categories.slice(0, 2) })],
    [
      'post-elsewhere',
      postPage({ ...post, post: { ...long, canonicalUrl: 'https://example.com/a' }, categories }),
    ],
    ['feeds', feedsPage({ ...context, categories })],
    ['feeds-forty', feedsPage({ ...context, categories: forty })],
    ['subscribe', subscribePage({ ...context, categories, values: {}, errors: [], cadences })],
    [
      'subscribe-forty',
      subscribePage({ ...context, categories: forty, values: {}, errors: [], cadences }),
    ],
    [
      'subscribe-error',
      subscribePage({
        ...context,
        categories,
        values: { email: 'nobody' },
        errors: faults,
        cadences,
      }),
    ],
    ['check-inbox', checkInboxPage(context)],
    ['confirm', confirmPage({ ...context, token, preferences, categories })],
    [
      'confirmed',
      confirmedPage({
        ...context,
        preferencesUrl: `/preferences/${token}`,
        preferences,
        categories,
        nextAt: '2026-03-06T07:00:00Z',
      }),
    ],
    [
      'preferences',
      preferencesPage({ ...context, token, subscriber, categories, errors: [], saved: true }),
    ],
    [
      'preferences-paused',
      preferencesPage({
        ...context,
        token,
        subscriber: { ...subscriber, state: 'paused', pausedUntil: '2026-04-01T00:00:00Z' },
        categories,
        errors: [],
      }),
    ],
    [
      'unsubscribe',
      unsubscribePage({ ...context, token, preferencesUrl: `/preferences/${token}` }),
    ],
    ['unsubscribe-category', unsubscribePage({ ...context, token, category })],
    ['unsubscribed', unsubscribedPage({ ...context, preferencesUrl: `/preferences/${token}` })],
    ['link-expired', linkExpiredPage(context)],
    ['erased', erasedPage(context)],
    [
      'archive',
      archivePage({
        ...context,
        editions: posts.slice(0, 6).map((one, i) => ({
          url: `/archive/${i}/`,
          date: one.published,
          title: one.title,
          count: i * 3 + 1,
        })),
      }),
    ],
    ['archive-empty', archivePage({ ...context, editions: [] })],
    [
      'edition',
      editionPage({
        ...context,
        edition,
        title: first.title,
        count: 10,
        date: '2026-03-02T07:00:00Z',
      }),
    ],
    [
      'outbox',
      outboxPage({
        ...context,
        mails: posts.slice(0, 4).map((one, i) => ({
          id: `m${i}`,
          to: 'reader@example.org',
          subject: one.title,
          date: one.published,
          href: `/outbox/m${i}`,
        })),
      }),
    ],
    ['error-not-found', await error(404, 'not-found').text()],
    ['error-too-many', await error(429, 'subscribe.too-many').text()],
  ])
}

/** Every mail, by name. */
export function sampleMails(
  locale: SampleLocale,
): Map<string, { html: string; text: string; subject: string }> {
  const settings = sampleSettings(locale)
  const [post] = emailPosts(locale)
  const html = sampleHtml(locale)
  const links = sampleDigest(locale).links
  const url = `${settings.site.baseUrl}/confirm/AAEBw2-7pQ4tYxkWJpVZf2m3nRzL8sTqUeXcVbNmKjHgFdSaPo`
  return new Map([
    ['digest', digestEmail(sampleDigest(locale))],
    [
      'letter',
      letterEmail({
        settings,
        locale,
        post: { ...(post as EmailPost), html, text: html.replaceAll(/<[^>]+>/g, '') },
        categoryTitles: [],
        links,
      }),
    ],
    [
      'confirmation',
      confirmationEmail({
        settings,
        locale,
        confirmUrl: url,
        preferences: {
          categories: ['a'],
          cadence: 'weekly',
          day: 'fri',
          at: '08:00',
          timeZone: 'Europe/Berlin',
          locale,
        },
        categoryTitles: sampleCategories(locale)
          .slice(0, 2)
          .map(({ title }) => title),
      }),
    ],
    ['preferences-link', preferencesLinkEmail({ settings, locale, preferencesUrl: url })],
    ['address-change', addressChangeEmail({ settings, locale, confirmUrl: url })],
  ])
}

function emailPosts(locale: SampleLocale): EmailPost[] {
  return samplePosts(locale).map((post, i) => ({
    title: post.title,
    url: `http://127.0.0.1:8787/posts/${post.slug}/`,
    summary: post.summary,
    date: post.published,
    authors: post.authors,
    ...(post.image ? { image: post.image } : {}),
    ...(post.language ? { language: post.language } : {}),
    minutes: (i % 5) + 1,
  }))
}

export function sampleDigest(locale: SampleLocale): DigestEmailInput {
  const posts = emailPosts(locale)
  const categories = sampleCategories(locale)
  const settings = sampleSettings(locale)
  return {
    settings,
    locale,
    groups: [
      { category: categories[0] ?? { slug: 'a', title: 'A' }, posts: posts.slice(0, 3) },
      { category: categories[1] ?? { slug: 'b', title: 'B' }, posts: posts.slice(3, 5) },
      { posts: posts.slice(5, 7) },
    ],
    more: 3,
    editionUrl: `${settings.site.baseUrl}/archive/e1/`,
    from: '2026-02-23T07:00:00Z',
    until: '2026-03-02T07:00:00Z',
    cadence: 'weekly',
    timeZone: 'Europe/Berlin',
    categoryTitles: categories.slice(0, 2).map(({ title }) => title),
    links: {
      preferences: `${settings.site.baseUrl}/preferences/token`,
      unsubscribe: `${settings.site.baseUrl}/unsubscribe/token`,
    },
  }
}

function sampleHtml(locale: SampleLocale): string {
  const posts = samplePosts(locale)
  const text = posts.map(({ summary }) => summary).filter(Boolean)
  return `<p>${text[0]}</p><p>${text[1] ?? ''} <a href="https://example.org/">${posts[2]?.title}</a>. ${text[2] ?? ''}</p>
<h2>${posts[3]?.title}</h2><p>${text.join(' ')}</p>
<blockquote><p>${text[0]}</p></blockquote>
<ul><li>${posts[4]?.title}</li><li>${posts[5]?.title}</li></ul>
<figure><img src="/picture.svg" width="1200" height="800" alt="${posts[0]?.title}"><figcaption>${posts[0]?.title}</figcaption></figure>
<pre><code>const answer = await fetch('https://news.example/api/v1/posts', { method: 'POST', headers, body })</code></pre>
<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>${posts[4]?.title}</td><td>1,024</td></tr></tbody></table>
<p>${text.join(' ')}</p>`
}
