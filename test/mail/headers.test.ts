import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import { headerLine } from '../../functions/mail/header-text.ts'
import {
  addressLine,
  bulkHeaders,
  dateText,
  messageIdOf,
  parseMailbox,
  senderOf,
  unsubscribeLines,
} from '../../functions/mail/headers.ts'
import { composeMessage, personalise } from '../../functions/mail/message.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'

const at = (baseUrl: string, from?: string) => ({
  ...defaultSettings,
  site: { ...defaultSettings.site, title: 'The Harbour Ledger', baseUrl },
  mail: { ...defaultSettings.mail, ...(from ? { from } : {}) },
})

/** Every encoded word on its own: what a program sees that decodes them one by one. */
function decodeWords(line: string): string[] {
  return [...line.matchAll(/=\?UTF-8\?B\?([^?]*)\?=/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('utf8'),
  )
}

describe('a subject', () => {
  const subjects = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 300, size: 'max' })
    .map((text) => text.replaceAll(/\p{Cc}/gu, ' '))

  it('is the same after two parsers, and no word of it ends inside a character', async () => {
    await fc.assert(
      fc.asyncProperty(subjects, async (subject) => {
        const line = headerLine('Subject', subject)
        // RFC 2047 §2: a line with encoded words has at most 76 characters, a word 75.
        for (const part of line.split('\r\n')) expect(part.length).toBeLessThanOrEqual(76)
        for (const [word] of line.matchAll(/=\?UTF-8\?B\?[^ ]*/g)) {
          expect(word.trimEnd().length).toBeLessThanOrEqual(75)
        }
        // Half a character would decode to a replacement character that was not there before.
        const words = decodeWords(line)
        if (words.length > 0) expect(words.join('')).toBe(subject.toWellFormed())
        const message = composeMessage({
          from: 'a@news.example',
          subject,
          html: '',
          text: '',
          linkLength: { preferences: 0, unsubscribe: 0 },
        })
        const raw = `${message.head}${message.body.toString('latin1')}`
        const [postal, parsed] = await Promise.all([PostalMime.parse(raw), simpleParser(raw)])
        const wanted = subject.toWellFormed().trim()
        expect((postal.subject ?? '').trim()).toBe(wanted)
        expect((parsed.subject ?? '').trim()).toBe(wanted)
      }),
      { numRuns: 200 },
    )
  })

  it.each(Array.from({ length: 60 }, (_, i) => i * 5 + 1))(
    'of %i wide characters is cut between them',
    (length) => {
      const characters = [...new Intl.Segmenter().segment('港口👩‍👩‍👧‍👦é'.repeat(100))]
      const subject = characters
        .slice(0, length)
        .map(({ segment }) => segment)
        .join('')
      const words = decodeWords(headerLine('Subject', subject))
      expect(words.join('')).toBe(subject)
      // A family of emoji is one character to a reader, whatever it is made of.
      for (const word of words) expect(word).not.toMatch(/^\u200d|\u200d$/)
    },
  )
})

describe('a header', () => {
  const message = composeMessage({
    from: 'a@news.example',
    subject: 'a',
    html: '',
    text: '',
    linkLength: { preferences: 1, unsubscribe: 1 },
  })
  const reader = {
    to: 'b@mail.example',
    messageId: '<a@b>',
    date: new Date(0),
    links: { preferences: 'a', unsubscribe: 'b' },
  }
  const breaks = ['\r\n', '\n', '\r', '\0', '\u000b', '\u007f']

  it.each(breaks)('with the control character %j is refused wherever it comes from', (control) => {
    const evil = `x${control}Bcc: all@mail.example`
    const input = {
      from: 'a@news.example',
      subject: 'a',
      html: '',
      text: '',
      linkLength: { preferences: 0, unsubscribe: 0 },
    }
    expect(() => composeMessage({ ...input, subject: evil })).toThrow('must be one line')
    expect(() => composeMessage({ ...input, from: `"${evil}" <a@news.example>` })).toThrow()
    expect(() => composeMessage({ ...input, from: `a@news.example${control}x` })).toThrow()
    expect(() => composeMessage({ ...input, replyTo: evil })).toThrow()
    expect(() => composeMessage({ ...input, headers: { 'List-Id': evil } })).toThrow(
      'must be one line',
    )
    expect(() => personalise(message, { ...reader, to: evil })).toThrow('plain ASCII')
    expect(() => personalise(message, { ...reader, to: `b@mail.example${control}` })).toThrow()
    expect(() => personalise(message, { ...reader, messageId: `<${evil}>` })).toThrow(
      'must be one line',
    )
    expect(() => personalise(message, { ...reader, headers: { 'X-A': evil } })).toThrow(
      'must be one line',
    )
    expect(() =>
      personalise(message, {
        ...reader,
        links: { preferences: control[0] ?? '', unsubscribe: 'b' },
      }),
    ).toThrow()
  })

  it('never says the address that it refuses', () => {
    try {
      addressLine('To', { address: 'secret person@mail.example' })
    } catch (error) {
      expect(String(error)).not.toContain('secret')
      return
    }
    throw new Error('not refused')
  })
})

describe('addresses', () => {
  it.each([
    ['news@news.example', { address: 'news@news.example' }],
    ['The Ledger <news@news.example>', { name: 'The Ledger', address: 'news@news.example' }],
    ['"Ledger, The" <news@news.example>', { name: 'Ledger, The', address: 'news@news.example' }],
    ['江畔晨报 <news@news.example>', { name: '江畔晨报', address: 'news@news.example' }],
  ])('reads %s', (text, box) => {
    expect(parseMailbox(text)).toEqual(box)
  })

  it.each([
    'Ledger',
    'Ledger, The',
    '江畔晨报',
    'Müller & Söhne "Post"',
    'a'.repeat(120),
    '港'.repeat(100),
  ])('writes the name %s so that it comes back', async (name) => {
    const line = addressLine('From', { name, address: 'news@news.example' })
    for (const part of line.split('\r\n')) expect(part.length).toBeLessThanOrEqual(78)
    const mail = await PostalMime.parse(`${line}\r\n`)
    expect(mail.from).toMatchObject({ name, address: 'news@news.example' })
    const parsed = await simpleParser(`${line}\r\n`)
    expect(parsed.from?.value[0]).toMatchObject({ name, address: 'news@news.example' })
  })

  it.each(['', 'a', 'a@', '@b', 'a b@c', 'a@b c', 'ü@b', 'a@b>,<c@d', 'a@b\u202e'])(
    'refuses %j',
    (address) => {
      expect(() => addressLine('To', { address })).toThrow('cannot be put into a mail header')
    },
  )
})

describe('list headers', () => {
  it('name the list, its archive and its run', () => {
    expect(bulkHeaders(at('https://news.example'), { id: 'run_1', kind: 'digest' })).toEqual({
      'List-Id': '"The Harbour Ledger" <newsletter.news.example>',
      'List-Archive': '<https://news.example/archive/>',
      'Feedback-ID': 'run_1:digest:newsletter:news.example',
      Precedence: 'bulk',
    })
  })

  it('offer one click (RFC 8058), by mail only when there is an address for it', () => {
    expect(unsubscribeLines('https://news.example/unsubscribe/t0k-en')).toBe(
      'List-Unsubscribe: <https://news.example/unsubscribe/t0k-en>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n',
    )
    expect(unsubscribeLines('https://n.example/u/t', 'leave+all@n.example')).toContain(
      '<mailto:leave%2Ball@n.example?subject=unsubscribe%20t>',
    )
  })

  it('have a sender even before one is set', () => {
    expect(senderOf(at('http://127.0.0.1:8787'))).toBe(
      '"The Harbour Ledger" <newsletter@localhost>',
    )
    expect(senderOf(at('https://news.example'))).toBe(
      '"The Harbour Ledger" <newsletter@news.example>',
    )
    expect(senderOf(at('https://news.example', 'A <a@b.example>'))).toBe('A <a@b.example>')
  })

  it('derive the Message-ID from the delivery, so that a repeat can be recognised', () => {
    expect(messageIdOf('run_0_r_1', at('https://news.example'))).toBe('<run_0_r_1@news.example>')
    expect(() => messageIdOf('a b', at('https://news.example'))).toThrow()
    expect(dateText(new Date('2026-03-02T08:00:00Z'))).toBe('Mon, 02 Mar 2026 08:00:00 +0000')
  })
})
