import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutToBytes, cutToWidth, displayWidth } from '../../templates/emails/display-width.ts'
import { wrapDocument, wrapText } from '../../templates/emails/wrap-text.ts'

const closing = '、。，．：；！？）］｝〉》」』】〕〗”’…'
const opening = '（［｛〈《「『【“‘'

describe('wrapText', () => {
  const words = fc.array(
    fc.oneof(
      fc.stringMatching(/^[a-z]{1,30}$/),
      fc.stringMatching(/^[\u4e00-\u4fff]{1,40}$/),
      fc.stringMatching(/^[\u4e00-\u4fff]{1,10}[，。！？；：]$/),
      fc.stringMatching(/^「[\u4e00-\u4fff]{1,10}」$/),
      fc.stringMatching(/^（[\u3041-\u3096]{1,10}）。$/),
      fc.stringMatching(/^[\uac00-\ud7a3]{1,12}$/),
      fc.constantFrom('👩‍👩‍👧‍👦', 'é', 'naïve', '-', '3.14', '10%'),
    ),
    { maxLength: 120, size: 'max' },
  )

  it('keeps lines within their columns, closing punctuation off their start and opening off their end', () => {
    fc.assert(
      fc.property(words, fc.constantFrom('', ' '), (parts, joint) => {
        const text = parts.join(joint)
        const lines = wrapText(text, 76).split('\n')
        for (const [i, line] of lines.entries()) {
          expect(displayWidth(line)).toBeLessThanOrEqual(76)
          if (i > 0) expect(closing).not.toContain([...line][0] ?? ' ')
          if (i < lines.length - 1) expect(opening).not.toContain([...line].at(-1) ?? ' ')
        }
        // Nothing is lost or added but blanks at the breaks.
        expect(lines.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''))
      }),
      { numRuns: 500 },
    )
  })

  it('leaves a link whole, however long', () => {
    const link = `https://news.example/${'a'.repeat(200)}`
    expect(wrapText(`Read ${link} now`, 76).split('\n')).toEqual(['Read', link, 'now'])
  })

  it('keeps paragraphs and what is short', () => {
    expect(wrapText('a\n\nb  c', 76)).toBe('a\n\nb  c')
    expect(wrapText('', 76)).toBe('')
  })

  it('lets the lines of a quote, a list or a note go on below its words', () => {
    const words = 'one two three four five'
    expect(wrapDocument(`${words}\n- ${words}\n  10. ${words}\n> > ${words}\n¹ ${words}`, 16)).toBe(
      [
        'one two three\nfour five',
        '- one two three\n  four five',
        '  10. one two\n      three four\n      five',
        '> > one two\n> > three four\n> > five',
        '¹ one two three\n  four five',
      ].join('\n'),
    )
    expect(wrapDocument(`${' '.repeat(40)}x`, 16).trim()).toBe('x')
  })

  // Time that grew with the square of the length would end in the time-out.
  it.each(['，', '「', ' ', 'a', '漢', '\u0301', '👩‍'])('gets through 100,000 times %j', (text) => {
    expect(wrapText(text.repeat(100_000), 76).length).toBeGreaterThanOrEqual(0)
  })
})

describe('cutting', () => {
  it('never splits what a reader sees as one character', () => {
    const family = '👩‍👩‍👧‍👦'
    for (let columns = 2; columns < 40; columns++) {
      const cut = cutToWidth(`港${family.repeat(10)}`, columns)
      expect(displayWidth(cut)).toBeLessThanOrEqual(columns)
      expect(cut.replace(/^港/, '').replaceAll(family, '')).toMatch(/^…?$/)
    }
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 3, max: 60 }),
        (text, bytes) => {
          expect(Buffer.byteLength(cutToBytes(text, bytes))).toBeLessThanOrEqual(Math.max(bytes, 3))
        },
      ),
    )
  })
})
