import fc from 'fast-check'
import { parse } from 'parse5'
import { describe, expect, it } from 'vitest'
import { linkPlaceholders } from '../../functions/mail/message.ts'
import { defaultSettings, type Settings } from '../../functions/settings/settings.ts'
import { type DigestEmailInput, digestEmail } from '../../templates/emails/digest-email.tsx'
import { displayWidth } from '../../templates/emails/display-width.ts'
import { type EmailPost, encodedBytes, maxHtmlBytes } from '../../templates/emails/email.ts'
import { letterEmail } from '../../templates/emails/letter-email.tsx'

const settings: Settings = {
  ...defaultSettings,
  site: { ...defaultSettings.site, title: 'The Harbour Ledger', baseUrl: 'https://news.example' },
  mail: { ...defaultSettings.mail, postalAddress: '1 Quay Street\nPorthaven' },
}

const aPost = (over: Partial<EmailPost> = {}): EmailPost => ({
  title: 'High water on Sunday',
  url: 'https://news.example/posts/tide/',
  summary: 'Bring boots.',
  date: '2026-03-01T23:30:00Z',
  authors: ['Ada Marsh'],
  ...over,
})

const aDigest = (over: Partial<DigestEmailInput> = {}): DigestEmailInput => ({
  settings,
  locale: 'en',
  groups: [{ category: { slug: 'harbour', title: 'Harbour' }, posts: [aPost()] }],
  more: 0,
  editionUrl: 'https://news.example/archive/e/',
  from: '2026-02-23T07:00:00Z',
  until: '2026-03-02T07:00:00Z',
  cadence: 'weekly',
  timeZone: 'Europe/Berlin',
  categoryTitles: ['Harbour'],
  links: linkPlaceholders,
  ...over,
})

describe('a digest', () => {
  it('says in HTML and in text the same, in the same order', () => {
    const posts = [
      aPost(),
      aPost({ title: 'Ferry', url: 'https://news.example/posts/ferry/', summary: '' }),
    ]
    const { html, text } = digestEmail(aDigest({ groups: [{ posts }], more: 4 }))
    for (const part of [html, text]) {
      // Behind the line that is shown beside the subject.
      const from = Math.max(0, part.indexOf('</div>'))
      const places = [
        'The Harbour Ledger',
        'High water on Sunday',
        'Bring boots.',
        'Ferry',
        '4 more',
        'Unsubscribe',
      ].map((words) => part.indexOf(words, from))
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places).not.toContain(-1)
      expect(part).toContain(linkPlaceholders.preferences)
      expect(part).toContain(linkPlaceholders.unsubscribe)
      expect(part).toContain('1 Quay Street')
      expect(part).toContain('You asked The Harbour Ledger for this, once a week: Harbour.')
    }
    expect(text.split('\n')).toContain('https://news.example/posts/ferry/')
  })

  it('keeps its text within its rules', () => {
    const { text } = digestEmail(
      aDigest({ groups: [{ posts: [aPost({ summary: 'one two three '.repeat(40) })] }] }),
    )
    const widths = text.split('\n').map(displayWidth)
    expect(text).toContain(`\n${'─'.repeat(72)}\n`)
    expect(Math.max(...widths)).toBe(72)
  })

  it('dates posts by the reader’s clock', () => {
    // Half past eleven in the evening in London is the next day in Berlin.
    expect(digestEmail(aDigest()).text).toContain('March 2, 2026')
    expect(digestEmail(aDigest({ timeZone: 'UTC' })).text).toContain('March 1, 2026')
  })

  it.each([
    ['en', 'February 23 – March 2, 2026'],
    ['de', '23. Februar – 2. März 2026'],
    ['zh-CN', '2026年2月23日至3月2日'],
  ])('names its period in %s', (locale, period) => {
    const { html, text } = digestEmail(aDigest({ locale }))
    expect(html).toContain(period)
    expect(text).toContain(period)
    expect(html).toContain(`<html lang="${locale}"`)
  })

  it('begins with its contents from five posts on', () => {
    const groups = ['A', 'B'].map((title) => ({
      category: { slug: title, title },
      posts: [aPost(), aPost(), aPost()],
    }))
    expect(digestEmail(aDigest({ groups })).html).toContain('In this issue')
    expect(digestEmail(aDigest()).html).not.toContain('In this issue')
  })

  it('shows beside its subject what else is in it, and nothing of its text', () => {
    const posts = ['One', 'Two', 'Three', 'Four', 'Five'].map((title) => aPost({ title }))
    const { html } = digestEmail(aDigest({ groups: [{ posts }] }))
    expect(html).toContain('>Two · Three · Four&#847;')
    expect(html).toMatch(/(&#847;&zwnj;&nbsp;){40}/)
  })

  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 3_000, size: 'max' }),
    fc.integer({ min: 0, max: 10_000 }).map((n) => '漢'.repeat(n)),
    fc.integer({ min: 0, max: 3_000 }).map((n) => '"&<>'.repeat(n)),
    fc.integer({ min: 0, max: 3_000 }).map((n) => `a${'\u0301'.repeat(n)}`),
  )

  it('is never too long to be shown whole: the footer stays, and what is left out is counted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ title: text, summary: text, author: text, image: fc.boolean() }), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.constantFrom('en', 'de', 'zh-CN'),
        (list, locale) => {
          const posts = list.map(({ title, summary, author, image }) =>
            aPost({
              title,
              summary,
              authors: [author],
              ...(image
                ? { image: { url: 'https://i.example/a.png', width: 300, height: 200 } }
                : {}),
            }),
          )
          const groups = [
            { category: { slug: 'a', title: 'A' }, posts: posts.slice(0, 10) },
            { posts: posts.slice(10) },
          ]
          const email = digestEmail(aDigest({ groups, locale, more: 2 }))
          expect(encodedBytes(email.html)).toBeLessThanOrEqual(maxHtmlBytes)
          expect(email.html).toContain(linkPlaceholders.unsubscribe)
          expect(email.text).toContain(linkPlaceholders.unsubscribe)
          expect(email.html).toContain(String(posts.length - email.shown + 2))
          expect(displayWidth(email.subject)).toBeLessThanOrEqual(78)
          expect(email.subject).not.toMatch(/[\r\n]/)
          expect(email.html.match(/<h2/g)?.length ?? 0).toBe(email.shown)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('says how many of a reader’s categories stand beside those it names', () => {
    const categoryTitles = Array.from({ length: 10 }, (_, i) => `C${i}`)
    const why = (locale: string) => digestEmail(aDigest({ locale, categoryTitles })).html
    expect(why('zh-CN')).toContain('C7，以及另外 2 个分类')
    expect(why('en')).toContain('C7 and 2 more')
    expect(why('de')).toContain('C7 und 2 weitere')
  })

  it('escapes what publishers write', () => {
    const title = '<script>alert(1)</script> & "friends"'
    const { html } = digestEmail(
      aDigest({ groups: [{ posts: [aPost({ title, url: 'https://x.example/?a=1&b="2"' })] }] }),
    )
    expect(html).not.toContain('<script>')
    expect(html).toContain('href="https://x.example/?a=1&amp;b=&quot;2&quot;"')
  })

  it('uses nothing that mail programs drop or run: every tag is closed, every picture has a width and words', () => {
    const posts = [aPost({ image: { url: 'https://i.example/a.png', width: 1200, height: 800 } })]
    const { html } = digestEmail(aDigest({ groups: [{ posts }] }))
    const errors: string[] = []
    parse(html, { onParseError: ({ code }) => errors.push(code) })
    expect(errors).toEqual([])
    expect(html).toMatch(/<img [^>]*alt=""[^>]*width="136"[^>]*height="91"/)
    expect(html).not.toMatch(
      /<script|<link|<form|position:|float:|flex|grid|url\(|@import|@font-face/,
    )
    expect(html).toContain('prefers-color-scheme:dark')
    expect(html).toContain('<!--[if mso]>')
  })
})

describe('a letter', () => {
  const letter = (html: string, text = 'Text.') =>
    letterEmail({
      settings,
      locale: 'en',
      post: { ...aPost(), html, text },
      categoryTitles: [],
      links: linkPlaceholders,
    })

  it('carries the post whole, with styles that mail programs know', () => {
    const { html, subject } = letter(
      '<p class="x">Hello <a href="https://a.example/?a=1&amp;b=2">you</a></p><img src="https://i.example/a.png" width="2000" height="1000">',
    )
    expect(subject).toBe('High water on Sunday – The Harbour Ledger')
    expect(html).toMatch(
      /<p style="[^"]+">Hello <a href="https:\/\/a\.example\/\?a=1&amp;b=2" style="[^"]+">you<\/a><\/p>/,
    )
    expect(html).toContain('alt="" width="552" height="276"')
    expect(html).not.toContain('too long')
  })

  it('aligns tables as the post does, with hairlines that are none the less in the dark', () => {
    const { html } = letter(
      '<table><tr><th>a</th><th align="right">b</th></tr><tr><td align="center">c</td><td align="x">d</td></tr></table><hr>',
    )
    expect(html).toMatch(/<th class="line" style="[^"]*text-align:left">a/)
    expect(html).toMatch(/<th align="right" class="line" style="[^"]*text-align:right">b/)
    expect(html).toMatch(/<td align="center" class="line" style="[^"]*text-align:center">c/)
    expect(html).not.toMatch(/<td[^>]*text-align[^>]*>d/)
    expect(html).toMatch(/<hr class="line" style="[^"]*1px solid #dcdad7/)
    expect(html).toContain('.line{border-color:#343331!important}')
  })

  it('that is too long ends between two blocks and says where the rest is', () => {
    const { html } = letter(`<p>${'漢'.repeat(500)}</p>`.repeat(100))
    expect(encodedBytes(html)).toBeLessThanOrEqual(maxHtmlBytes)
    expect(encodedBytes(html)).toBeGreaterThan(maxHtmlBytes * 0.8)
    expect(html).toContain('too long')
    expect(html).toContain(linkPlaceholders.unsubscribe)
    const errors: string[] = []
    parse(html, { onParseError: ({ code }) => errors.push(code) })
    expect(errors).toEqual([])
  })

  it('of one endless block still has its summary, link and footer', () => {
    const { html } = letter(`<p>${'x'.repeat(300_000)}</p>`)
    expect(encodedBytes(html)).toBeLessThanOrEqual(maxHtmlBytes)
    expect(html).toContain('Bring boots.')
    expect(html).toContain('too long')
  })
})
