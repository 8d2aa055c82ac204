import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type LinkPurpose,
  linkLength,
  signLink,
  signText,
  verifyLink,
  verifyText,
} from '../../functions/subscribers/links.ts'

const purposes: LinkPurpose[] = [
  'confirm',
  'preferences',
  'unsubscribe',
  'change-address',
  'edition',
]
const id = '0123456789abcdef0123456789abcdef'
const other = 'f123456789abcdef0123456789abcdef'
const start = new Date('2026-03-02T08:00:00Z')
const keys = [{ id: 'k1', key: 'the first key' }]
const platformWith = (links: { id: string; key: string }[], now = start) => ({
  secrets: { subscribers: '', links },
  now: () => now,
})
const platform = platformWith(keys)

describe('signed links', () => {
  it('name their reader, for their own purpose only', () => {
    for (const purpose of purposes) {
      const token = signLink(platform, purpose, id)
      for (const asked of purposes) {
        expect(verifyLink(platform, asked, token)).toEqual(
          asked === purpose ? { subscriberId: id } : undefined,
        )
      }
    }
  })

  it('have a fixed length and only characters that need no escaping', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const token = signLink(platform, 'unsubscribe', Buffer.from(bytes).toString('hex'))
        expect(token).toMatch(/^[\w-]+$/)
        expect(token.length).toBe(linkLength)
      }),
    )
  })

  it('carry an expiry and an extra text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (extra) => {
        const expires = new Date(start.getTime() + 60_000)
        const token = signLink(platform, 'confirm', id, { expires, extra })
        expect(verifyLink(platform, 'confirm', token)).toEqual({ subscriberId: id, extra })
        expect(verifyLink(platformWith(keys, expires), 'confirm', token)).toBeUndefined()
        expect(verifyText(platform, 'confirm', token)).toBeUndefined()
      }),
    )
  })

  it('are refused with any single bit changed', () => {
    const tokens = [
      signLink(platform, 'confirm', id),
      signLink(platform, 'confirm', id, { extra: 'x' }),
      signLink(platform, 'confirm', id, { extra: 'xy', expires: new Date('2027-01-01') }),
    ]
    let tried = 0
    for (const token of tokens) {
      for (let at = 0; at < token.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const changed = String.fromCharCode(token.charCodeAt(at) ^ (1 << bit))
          const forged = token.slice(0, at) + changed + token.slice(at + 1)
          expect(verifyLink(platform, 'confirm', forged)).toBeUndefined()
          tried += 1
        }
      }
    }
    expect(tried).toBeGreaterThan(1600)
  })

  it('are refused cut, lengthened, padded, or made up', () => {
    const token = signLink(platform, 'confirm', id)
    for (let length = 0; length < token.length; length++) {
      expect(verifyLink(platform, 'confirm', token.slice(0, length))).toBeUndefined()
    }
    for (const forged of [`${token}A`, `${token}=`, ` ${token}`, `${token}\n`, token.repeat(100)]) {
      expect(verifyLink(platform, 'confirm', forged)).toBeUndefined()
    }
    for (let i = 0; i < 10_000; i++) {
      const forged = randomBytes(51).toString('base64url')
      expect(verifyLink(platform, 'confirm', forged)).toBeUndefined()
    }
  })

  it('cannot be put together from two', () => {
    const a = signLink(platform, 'confirm', id, { extra: 'one' })
    const b = signLink(platform, 'confirm', other, { extra: 'one' })
    for (let cut = 1; cut < a.length; cut++) {
      const mixed = a.slice(0, cut) + b.slice(cut)
      if (mixed !== a && mixed !== b) {
        expect(verifyLink(platform, 'confirm', mixed)).toBeUndefined()
      }
    }
  })

  it('stay valid when new keys are put in front, and end with their key', () => {
    const token = signLink(platform, 'unsubscribe', id)
    const rotated = platformWith([{ id: 'k2', key: 'the second key' }, ...keys])
    expect(verifyLink(rotated, 'unsubscribe', token)).toEqual({ subscriberId: id })
    const newer = signLink(rotated, 'unsubscribe', id)
    expect(newer).not.toBe(token)
    expect(newer.length).toBe(token.length)
    expect(verifyLink(platform, 'unsubscribe', newer)).toBeUndefined()
    expect(
      verifyLink(platformWith([{ id: 'k2', key: 'the second key' }]), 'unsubscribe', token),
    ).toBeUndefined()
  })

  it('are told apart although two keys share a tag', () => {
    // Names are 16 bits apart at most, so two of a few hundred meet.
    const many = Array.from({ length: 700 }, (_, i) => ({ id: `k${i}`, key: `key ${i}` }))
    for (const key of many) {
      const token = signLink(platformWith([key]), 'confirm', id)
      expect(verifyLink(platformWith(many), 'confirm', token)).toEqual({ subscriberId: id })
    }
  })
})

describe('signed texts', () => {
  it('carry any text and are no link', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const token = signText(platform, 'edition', text)
        expect(token).toMatch(/^[\w-]+$/)
        expect(verifyText(platform, 'edition', token)).toBe(text)
        expect(verifyText(platform, 'confirm', token)).toBeUndefined()
        expect(verifyLink(platform, 'edition', token)).toBeUndefined()
      }),
    )
  })
})
