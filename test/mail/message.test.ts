import fc from 'fast-check'
import { type AddressObject, simpleParser } from 'mailparser'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import {
  composeMessage,
  linkPlaceholders,
  personalise,
  plainMessage,
} from '../../functions/mail/message.ts'

const from = '"海港 Ledger" <news@news.example>'
const links = (n: number) => ({
  preferences: `https://news.example/preferences/${String(n).padStart(68, 'p')}`,
  unsubscribe: `https://news.example/unsubscribe/${String(n).padStart(68, 'u')}`,
})
const linkLength = {
  preferences: links(0).preferences.length,
  unsubscribe: links(0).unsubscribe.length,
}
const reader = (n: number) => ({
  to: `reader-${n}@mail.example`,
  messageId: `<run_0_${n}@news.example>`,
  date: new Date('2026-03-02T08:00:00Z'),
  links: links(n),
})

/** Rules that hold for every message on the wire (RFC 5322 §2.1.1, RFC 2045 §6.8). */
function expectWellFormed(raw: Uint8Array): void {
  const text = Buffer.from(raw).toString('latin1')
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  expect(/[^\x00-\x7f]/.test(text)).toBe(false)
  const body = text.slice(text.indexOf('\r\n\r\n'))
  expect(Math.max(...body.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(76)
  expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
}

const normal = (text: string | false | undefined) =>
  (text || '').replaceAll('\r\n', '\n').replace(/\n+$/, '')

describe('personalise', () => {
  it('puts each reader’s own links into HTML, text and List-Unsubscribe, as two parsers read them', async () => {
    for (let pad = 0; pad < 60; pad++) {
      const message = composeMessage({
        from,
        replyTo: 'desk@news.example',
        subject: '第一篇：港口的早晨 (+2 more) – 海港',
        html: `<p>${'雾'.repeat(pad)}</p><a href="${linkPlaceholders.preferences}">变更</a> <a href="${linkPlaceholders.unsubscribe}">退订</a>\n`,
        text: `${'x'.repeat(pad)}\n变更：\n${linkPlaceholders.preferences}\n退订：\n${linkPlaceholders.unsubscribe}\n`,
        headers: { 'List-Id': '<newsletter.news.example>', Precedence: 'bulk' },
        linkLength,
        unsubscribeMailto: 'leave@news.example',
      })
      for (const n of [1, 2]) {
        const raw = personalise(message, reader(n))
        expectWellFormed(raw)
        const [postal, parsed] = await Promise.all([
          PostalMime.parse(raw),
          simpleParser(Buffer.from(raw), { skipTextToHtml: true, skipHtmlToText: true }),
        ])
        const html = `<p>${'雾'.repeat(pad)}</p><a href="${links(n).preferences}">变更</a> <a href="${links(n).unsubscribe}">退订</a>`
        const text = `${'x'.repeat(pad)}\n变更：\n${links(n).preferences}\n退订：\n${links(n).unsubscribe}`
        expect(normal(postal.html)).toBe(html)
        expect(normal(postal.text)).toBe(text)
        expect(normal(parsed.html)).toBe(html)
        expect(normal(parsed.text)).toBe(text)
        expect(parsed.subject).toBe('第一篇：港口的早晨 (+2 more) – 海港')
        expect(postal.subject).toBe(parsed.subject)
        expect((parsed.to as AddressObject).value[0]?.address).toBe(`reader-${n}@mail.example`)
        expect(parsed.from?.value[0]).toMatchObject({
          name: '海港 Ledger',
          address: 'news@news.example',
        })
        expect(parsed.messageId).toBe(`<run_0_${n}@news.example>`)
        expect(parsed.date?.toISOString()).toBe('2026-03-02T08:00:00.000Z')
        const header = (name: string) => postal.headers.find(({ key }) => key === name)?.value
        expect(header('list-unsubscribe')).toBe(
          `<${links(n).unsubscribe}>, <mailto:leave@news.example?subject=unsubscribe%20${links(n).unsubscribe.split('/').at(-1)}>`,
        )
        expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
      }
    }
  })

  it('leaves the composed message as it was, so that one serves any number of readers', () => {
    const message = composeMessage({
      from,
      subject: 'Post',
      html: `<a href="${linkPlaceholders.unsubscribe}">stop</a>`,
      text: linkPlaceholders.preferences,
      linkLength,
    })
    const first = Buffer.from(personalise(message, reader(1)))
    personalise(message, reader(2))
    expect(Buffer.from(personalise(message, reader(1))).equals(first)).toBe(true)
  })

  it('refuses links that would not fit where they go', () => {
    const message = composeMessage({ from, subject: 'a', html: 'a', text: 'a', linkLength })
    const send = (preferences: string) =>
      personalise(message, { ...reader(1), links: { ...links(1), preferences } })
    expect(() => send(`${links(1).preferences}x`)).toThrow('exactly as long')
    expect(() => send(links(1).preferences.replace('p', '"'))).toThrow('plain')
  })
})

describe('composeMessage', () => {
  const bodies = fc.string({ unit: 'grapheme', maxLength: 2_000, size: 'max' })

  it('comes back from two parsers as it went in, at any length and in any script', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, bodies, async (html, text) => {
        const message = composeMessage({ from, subject: 'a', html, text, linkLength })
        const raw = personalise(message, reader(1))
        expectWellFormed(raw)
        const postal = await PostalMime.parse(raw)
        const parsed = await simpleParser(Buffer.from(raw), {
          skipTextToHtml: true,
          skipHtmlToText: true,
        })
        const plain = (value: string) => normal(value.toWellFormed().replaceAll(/\r\n?/g, '\n'))
        expect(normal(postal.text)).toBe(plain(text))
        expect(normal(postal.html)).toBe(plain(html))
        expect(normal(parsed.text)).toBe(plain(text))
      }),
      { numRuns: 60 },
    )
  })

  it('says the same as nodemailer composing for each reader', async () => {
    const html = `<p>${'漢字とかな '.repeat(200)}</p><a href="${linkPlaceholders.unsubscribe}">x</a>`
    const text = `${'Zeile für Zeile\n'.repeat(50)}${linkPlaceholders.unsubscribe}\n`
    const subject = 'Ein Titel mit Umlauten: Öl, Ärger und Überfluss – Der Deichbote'
    const ours = personalise(composeMessage({ from, subject, html, text, linkLength }), reader(7))
    const theirs = await new MailComposer({
      from,
      to: reader(7).to,
      messageId: reader(7).messageId,
      date: reader(7).date,
      subject,
      html: html.replace(linkPlaceholders.unsubscribe, links(7).unsubscribe),
      text: text.replace(linkPlaceholders.unsubscribe, links(7).unsubscribe),
    })
      .compile()
      .build()
    const [a, b] = await Promise.all([PostalMime.parse(ours), PostalMime.parse(theirs)])
    expect(a.subject).toBe(b.subject)
    expect(a.from).toEqual(b.from)
    expect(a.to).toEqual(b.to)
    expect(a.messageId).toBe(b.messageId)
    expect(a.date).toBe(b.date)
    expect(normal(a.html)).toBe(normal(b.html))
    expect(normal(a.text)).toBe(normal(b.text))
  })
})

describe('plainMessage', () => {
  it('is a whole message to one address, without list headers', async () => {
    const raw = plainMessage({
      from,
      to: 'reader@mail.example',
      subject: '请确认订阅',
      html: '<p>确认</p>',
      text: '确认',
      messageId: '<c1@news.example>',
      date: new Date('2026-03-02T08:00:00Z'),
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    expectWellFormed(raw)
    const mail = await PostalMime.parse(raw)
    expect(mail.subject).toBe('请确认订阅')
    expect(normal(mail.text)).toBe('确认')
    const names = mail.headers.map(({ key }) => key)
    expect(names.filter((name) => name.startsWith('list-'))).toEqual([])
    expect(names).toContain('auto-submitted')
  })
})
