import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { normaliseAddress, subscriberIdOf } from '../../functions/subscribers/address.ts'

const secrets = { subscribers: 'a key', links: [] }
const idOf = (address: string) => subscriberIdOf({ secrets }, normaliseAddress(address))

describe('normaliseAddress', () => {
  it.each([
    ['reader@example.org', 'reader@example.org'],
    ['  reader@example.org\t\n', 'reader@example.org'],
    ['\u00a0\u200b\ufeffreader@example.org\u2060\u3000', 'reader@example.org'],
    ['\u202areader@example.org\u202c', 'reader@example.org'],
    ['Reader.Name+news@Example.ORG', 'Reader.Name+news@example.org'],
    ['reader@Bücher.example', 'reader@xn--bcher-kva.example'],
    ['reader@例子.广告', 'reader@xn--fsqu00a.xn--4rr70v'],
    ['reader@ｅｘａｍｐｌｅ．ｏｒｇ', 'reader@example.org'],
    ['reader@faß.example', 'reader@xn--fa-hia.example'],
    ["o'neil@example.org", "o'neil@example.org"],
    ['a@b.co', 'a@b.co'],
    ['x_y-z@sub.domain.example.org', 'x_y-z@sub.domain.example.org'],
  ])('takes %j as %j', (typed, mailed) => {
    expect(normaliseAddress(typed)).toBe(mailed)
    expect(normaliseAddress(mailed)).toBe(mailed)
  })

  it.each([
    '',
    '   ',
    'reader',
    '@example.org',
    'reader@',
    'reader@localhost',
    'reader@@example.org',
    'a@b@example.org',
    'rea der@example.org',
    'reader@exam ple.org',
    'reader\u200b@example.org',
    'reader@exa\u00admple.org',
    'reader@example.org\r\nBcc: other@example.org',
    'reader@example.org, other@example.org',
    'Reader <reader@example.org>',
    'mailto:reader@example.org',
    '"a b"@example.org',
    '.reader@example.org',
    'reader.@example.org',
    're..ader@example.org',
    'reader@example..org',
    'reader@.example.org',
    'reader@example.org.',
    'reader@-example.org',
    '\u{e0001}',
    'reader@example.org:25',
    'reader@example.org/path',
    'reader@ex%41mple.org',
    'reader@[127.0.0.1]',
    'reader@127.0.0.1',
    'reader@0x7f.1',
    'reader@a_b.example',
    '用户@example.org',
    `${'a'.repeat(65)}@example.org`,
    `a@${'b'.repeat(64)}.org`,
    `a@${'b.'.repeat(126)}org`,
    `a@${'b'.repeat(1_000_000)}.org`,
  ])('refuses %j', (typed) => {
    const refused = (() => {
      try {
        normaliseAddress(typed)
      } catch (error) {
        return error
      }
    })()
    expect(refused).toBeInstanceOf(ServiceError)
    const error = refused as ServiceError
    expect([error.status, error.code]).toEqual([422, 'subscriber.email'])
    expect(error.errors.map(({ path }) => path)).toEqual(['email'])
    if (typed.includes('reader')) expect(error.message).not.toContain('reader')
  })

  it.each([`a${'\u200b'.repeat(900)}b`, `${'a.'.repeat(400)}@example.org`, `a@${'-'.repeat(800)}`])(
    'is not held up by a hostile text: %#',
    (text) => {
      for (let i = 0; i < 1000; i++) expect(() => normaliseAddress(text)).toThrow(ServiceError)
    },
  )
})

describe('subscriberIdOf', () => {
  it('is 32 hex digits that depend on the key', () => {
    expect(idOf('reader@example.org')).toMatch(/^[0-9a-f]{32}$/)
    const other = subscriberIdOf(
      { secrets: { subscribers: 'another', links: [] } },
      'reader@example.org',
    )
    expect(other).not.toBe(idOf('reader@example.org'))
  })

  it('is one for addresses that differ only in case, in blanks at the ends or in the spelling of the domain', () => {
    const ids = [
      'Reader@Bücher.example',
      ' reader@BÜCHER.EXAMPLE ',
      'READER@xn--bcher-kva.example',
    ].map(idOf)
    expect(new Set(ids).size).toBe(1)
    expect(idOf('reader+x@bücher.example')).not.toBe(ids[0])
  })
})
