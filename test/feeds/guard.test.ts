import { describe, expect, it } from 'vitest'
import {
  byteLength,
  clean,
  entryIdentifier,
  instant,
  languageTag,
  line,
  mediaType,
  webAddress,
} from '../../functions/feeds/guard.ts'

describe('clean', () => {
  it.each([
    ['text as it is', '日本語 😀 é', '日本語 😀 é'],
    ['tabs and line ends', 'a\tb\r\nc\rd\n', 'a\tb\nc\nd\n'],
    ['control characters', 'a\u0000b\u0008c\u000bd\u000ce\u001ff\u007fg', 'abcdefg'],
    ['C1', 'a\u0080b\u0085c\u009fd', 'abcd'],
    [
      'noncharacters of every plane',
      'a\ufffeb\uffffc\ufdd0d\ufdefe\u{1ffff}f\u{10fffe}g',
      'abcdefg',
    ],
    ['lone halves of a character', 'a\ud83db\ude00c', 'abc'],
    ['halves in the wrong order', '\ude00\ud83d', ''],
    ['what is legal beside them', '\ufdcf\ufdf0\ufffd\u{1fffd}', '\ufdcf\ufdf0\ufffd\u{1fffd}'],
  ])('keeps or drops %s', (_, text, expected) => {
    expect(clean(text)).toBe(expected)
  })
})

describe('line', () => {
  it.each([
    ['  a \n\t b\u2028c\u00a0 ', 'a b c'],
    [' \u3000\n', ''],
    ['\u0000 \u0001', ''],
  ])('puts %j on one line', (text, expected) => {
    expect(line(text)).toBe(expected)
  })
})

describe('webAddress', () => {
  it.each([
    ['https://a.example', 'https://a.example/'],
    [' HTTP://A.Example:80/x ', 'http://a.example/x'],
    [
      'https://例え.テスト/道/?q=値#節',
      'https://xn--r8jz45g.xn--zckzah/%E9%81%93/?q=%E5%80%A4#%E7%AF%80',
    ],
    ['https://a.example/%E9%81%93', 'https://a.example/%E9%81%93'],
    [
      'https://a.example/a b|c^d`e{f}"g<h>',
      'https://a.example/a%20b%7Cc%5Ed%60e%7Bf%7D%22g%3Ch%3E',
    ],
    ['https://a.example/?a=1&amp;b=2', 'https://a.example/?a=1&amp;b=2'],
    ['https://a.example\\x', 'https://a.example/x'],
    ['https://[::1]/x', 'https://[::1]/x'],
    ['https://a.example/\u0000x\ud800', 'https://a.example/x'],
    ['/relative', undefined],
    ['//host/path', undefined],
    ['javascript:alert(1)', undefined],
    ['java\nscript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['mailto:a@b.example', undefined],
    ['https://', undefined],
    ['https:///', undefined],
    ['https://a b/', undefined],
    ['', undefined],
    [undefined, undefined],
    [`https://a.example/${'x'.repeat(4000)}`, undefined],
  ])('reads %j as %j', (address, expected) => {
    expect(webAddress(address)).toBe(expected)
  })

  it('gives an address that stays as it is', () => {
    for (const address of ['https://a.example/ä|"<>', 'https://ü.example/?ö#ß', 'http://a/%']) {
      const once = webAddress(address)
      expect(webAddress(once)).toBe(once)
      expect(new URL(once ?? '').href).toBe(once)
    }
  })
})

describe('entryIdentifier', () => {
  it.each([
    ['tag:news.example,2026:a', 'tag:news.example,2026:a'],
    ['tag:news.example,2026:道', 'tag:news.example,2026:%E9%81%93'],
    ['tag:news.example,2026:a b<c>"d"', 'tag:news.example,2026:a%20b%3Cc%3E%22d%22'],
    ['urn:uuid:1', 'urn:uuid:1'],
    ['https://a.example/道', 'https://a.example/%E9%81%93'],
    ['tag:', undefined],
    ['17', undefined],
    ['a/path.md', undefined],
    ['javascript:x', undefined],
  ])('reads %j as %j', (id, expected) => {
    expect(entryIdentifier(id)).toBe(expected)
    if (expected) expect(entryIdentifier(expected)).toBe(expected)
  })
})

describe('instant', () => {
  it.each([
    ['2026-03-01T08:00:00Z', '2026-03-01T08:00:00.000Z'],
    ['2026-03-01T08:00:00.999+08:00', '2026-03-01T00:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
    ['1965-05-01T00:00:00Z', '1965-05-01T00:00:00.000Z'],
    ['1899-12-31T23:59:59Z', undefined],
    ['0000-01-01T00:00:00Z', undefined],
    ['+012022-01-01T00:00:00Z', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('reads %j as %j', (date, expected) => {
    expect(instant(date)?.toISOString()).toBe(expected)
  })
})

describe('languageTag', () => {
  it.each([
    ['en', 'en'],
    ['zh-CN', 'zh-CN'],
    ['de-1996', 'de-1996'],
    ['en"onload="', undefined],
    ['', undefined],
    [undefined, undefined],
    ['e', undefined],
  ])('reads %j as %j', (language, expected) => {
    expect(languageTag(language)).toBe(expected)
  })
})

it.each([
  ['audio/mpeg', 'audio/mpeg'],
  ['Audio/MPEG; rate=1', 'audio/mpeg'],
  ['image/svg+xml', 'image/svg+xml'],
  ['', 'application/octet-stream'],
  ['audio', 'application/octet-stream'],
  ['a/b"><x', 'application/octet-stream'],
])('mediaType reads %j as %j', (type, expected) => {
  expect(mediaType(type)).toBe(expected)
})

it.each([
  [12, 12],
  [0, 0],
  [-1, 0],
  [1.5, 0],
  [Number.NaN, 0],
  [Number.POSITIVE_INFINITY, 0],
])('byteLength reads %j as %j', (length, expected) => {
  expect(byteLength(length)).toBe(expected)
})
