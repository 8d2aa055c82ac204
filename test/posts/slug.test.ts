import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slugify, slugOfAddress } from '../../functions/posts/slug.ts'

describe('a slug', () => {
  it.each([
    ['Hello, World!', 'hello-world'],
    ['Don’t panic', 'dont-panic'],
    ['C++ & C#', 'c-c'],
    ['倾心倾情写好“乐居”民生答卷', '倾心倾情写好-乐居-民生答卷'],
    ['Straße in Łódź', 'straße-in-łódź'],
    ['Cafe\u0301', 'café'],
    ['हिन्दी में', 'हिन्दी-में'],
    ['❤️ Boats ⛵', 'boats'],
    ['snake_case.name', 'snake-case-name'],
    ['--a--b--', 'a-b'],
    ['Rust-1.71.0', 'rust-1-71-0'],
    ['..', ''],
    ['🎉', ''],
  ])('of %s is %s', (text, slug) => {
    expect(slugify(text)).toBe(slug)
  })

  it.each([
    ['/%2e%2e/%2e%2e/%2e%2e/baddie.html', 'baddie'],
    ['/../../exploit/', 'exploit'],
    ['..', ''],
    ['/', ''],
    ['2024/09/01/%E5%8F%B0%E9%A3%8E/', '台风'],
    ['https://blog.example/2013/hello.html?x#y', 'hello'],
    ['/notes/index.html', 'notes'],
    ['2023/07/13/Rust-1.71.0', 'rust-1-71-0'],
    ['%zz', 'zz'],
    ['a/b\\c', 'b-c'],
  ])('of the address %s is %s', (address, slug) => {
    expect(slugOfAddress(address)).toBe(slug)
  })

  it('is safe as a segment of paths and keys, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        for (const slug of [slugify(text), slugOfAddress(text)]) {
          expect(slug).toMatch(
            /^$|^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(-[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*$/u,
          )
          expect(Buffer.byteLength(slug)).toBeLessThanOrEqual(180)
          expect(slug.normalize('NFC')).toBe(slug)
          expect(slugify(slug)).toBe(slug)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is cut between characters', () => {
    expect(slugify('泰'.repeat(100))).toBe('泰'.repeat(60))
  })
})
