import { describe, expect, it } from 'vitest'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { accentFor, colours, contrast } from '../../templates/assets/accent.ts'
import { stylesheet } from '../../templates/assets/stylesheet.ts'
import { readingMinutes } from '../../templates/components/reading-time.ts'
import { scheduleSentence } from '../../templates/components/schedule-sentence.ts'
import { serifFor } from '../../templates/emails/email-layout.tsx'
import { formatDate, formatPeriod } from '../../templates/locales/format.ts'
import { chooseLocale, dateLocale, locales, messagesFor } from '../../templates/locales/index.ts'
import type { Messages } from '../../templates/locales/messages.ts'

const site = (language: string) => ({ site: { ...defaultSettings.site, language } })

describe('chooseLocale', () => {
  it.each([
    ['de-AT,de;q=0.9,en;q=0.8', 'en', 'de'],
    ['zh', 'en', 'zh-CN'],
    ['zh-Hans-SG', 'en', 'zh-CN'],
    // Simplified characters are no answer to a wish for traditional ones.
    ['zh-TW, de;q=0.5', 'en', 'de'],
    ['fr;q=0.9, *;q=0.1', 'de', 'de'],
    ['en;q=0, de', 'en', 'de'],
    ['de;q=0.3, en;q=0.7', 'de', 'en'],
    [undefined, 'zh-CN', 'zh-CN'],
    ['', 'pt-BR', 'en'],
    [';;;,,,q=,=q', 'de-CH', 'de'],
    ['x'.repeat(100_000), 'de', 'de'],
    ['EN-us', 'de', 'en'],
  ])('makes of %j on a site in %s the locale %s', (wish, language, locale) => {
    expect(chooseLocale(wish, site(language))).toBe(locale)
  })
})

/** Every text of a dictionary, functions called with plausible values. */
function texts(m: Messages): string[] {
  const found: string[] = []
  const walk = (value: unknown) => {
    if (typeof value === 'string') found.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
    else if (typeof value === 'function') {
      for (const one of [1, 2, 21]) {
        const choice = { cadence: 'weekly', day: 'Monday', at: '08:00', timeZone: 'UTC' }
        found.push(
          value === m.schedule
            ? m.schedule(choice as never)
            : value === m.monthWeekday
              ? m.monthWeekday('first', 'Monday')
              : String(
                  value === m.mail.why || value === m.mail.whyLetter
                    ? value('Site', 'A', 'weekly')
                    : value(one, one),
                ),
        )
      }
    }
  }
  walk(m)
  return found
}

describe('the words of each locale', () => {
  it.each(locales)('in %s are complete and calm', (locale) => {
    for (const text of texts(messagesFor(locale))) {
      expect(text.trim()).not.toBe('')
      expect(text).not.toMatch(/undefined|NaN|\[object|!|！|Oops|successfully/)
    }
  })

  it('in Chinese have full-width punctuation and one form of address', () => {
    for (const text of texts(messagesFor('zh-CN'))) {
      expect(text).not.toMatch(/[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]/)
      expect(text).not.toMatch(/你/)
    }
  })

  it.each([
    [
      'en',
      { cadence: 'weekly', day: 'fri' },
      'One mail a week, on Friday at 08:00 (Europe/Berlin).',
    ],
    [
      'en',
      { cadence: 'monthly', day: '22' },
      'One mail a month, on the 22nd at 08:00 (Europe/Berlin).',
    ],
    [
      'en',
      { cadence: 'monthly', day: 'last-sun' },
      'One mail a month, on the last Sunday at 08:00 (Europe/Berlin).',
    ],
    [
      'de',
      { cadence: 'monthly', day: 'first-mon' },
      'Eine E-Mail im Monat, am ersten Montag um 08:00 Uhr (Europe/Berlin).',
    ],
    ['de', { cadence: 'daily' }, 'Eine E-Mail am Tag, um 08:00 Uhr (Europe/Berlin).'],
    ['zh-CN', { cadence: 'weekly', day: 'mon' }, '每星期一 08:00 一封邮件（Europe/Berlin）。'],
    ['zh-CN', { cadence: 'monthly', day: '3' }, '每月3 日 08:00 一封邮件（Europe/Berlin）。'],
  ] as const)('say in %s when mail comes', (locale, choice, sentence) => {
    const schedule = { at: '08:00', timeZone: 'Europe/Berlin', ...choice }
    expect(scheduleSentence(messagesFor(locale), schedule)).toBe(sentence)
  })
})

describe('dates', () => {
  it('are written as the site’s region does, where that is the page’s language', () => {
    expect(dateLocale('en', site('en-GB'))).toBe('en-GB')
    expect(dateLocale('de', site('en-GB'))).toBe('de')
    expect(formatDate('en-GB', '2026-03-02T08:00:00Z', 'UTC')).toBe('2 March 2026')
  })

  it('of a period are written short, and never fail', () => {
    const period = (from: string | undefined, until: string) =>
      formatPeriod('zh-CN', from, until, 'UTC')
    expect(period('2026-02-23T08:00:00Z', '2026-03-02T08:00:00Z')).toBe('2026年2月23日至3月2日')
    expect(period('2026-03-02T08:00:00Z', '2026-03-09T08:00:00Z')).toBe('2026年3月2日至9日')
    expect(period('2025-12-29T08:00:00Z', '2026-01-05T08:00:00Z')).toBe(
      '2025年12月29日至2026年1月5日',
    )
    expect(period(undefined, '2026-03-02T08:00:00Z')).toBe('2026年3月2日星期一')
    expect(period('2026-03-02T07:00:00Z', '2026-03-02T08:00:00Z')).toBe('2026年3月2日星期一')
    expect(period('nonsense', 'nonsense')).toBe('')
  })
})

describe('reading time', () => {
  it('counts words, and characters where there are no words', () => {
    expect(readingMinutes('word '.repeat(1_100))).toBe(5)
    expect(readingMinutes('汉'.repeat(2_000))).toBe(5)
    expect(readingMinutes('')).toBe(1)
  })
})

describe('the stylesheet', () => {
  it('is small, and its address follows its bytes', () => {
    const { css, path } = stylesheet()
    expect(Buffer.byteLength(css)).toBeLessThanOrEqual(12_000)
    expect(stylesheet('#0044cc').path).not.toBe(path)
    expect(stylesheet().path).toBe(path)
    expect(css).toContain('prefers-color-scheme:dark')
  })

  it.each([
    '#ffff00',
    '#ffffff',
    '#000000',
    '#a6271c',
    '#777777',
    '#00ff88',
    'red',
    '#12345',
    '</style>',
  ])('makes of the accent %s one that can be read on both papers', (accent) => {
    for (const scheme of ['light', 'dark'] as const) {
      const used = accentFor(scheme, accent)
      expect(used).toMatch(/^#[0-9a-f]{6}$/i)
      expect(contrast(used, colours[scheme].paper)).toBeGreaterThanOrEqual(4.5)
    }
    expect(stylesheet(accent).css.includes('</')).toBe(false)
  })

  it('leaves the columns of a table where the post has them', () => {
    expect(stylesheet().css).not.toMatch(/(td|:is\(th,td\))\{[^}]*text-align/)
    expect(stylesheet().css).toContain('.body th:not([align]){text-align:start}')
  })

  it('sets Chinese and Japanese words on a Latin page, and in its mails, in serifs', () => {
    const latin = /:root\{[^}]*--serif:([^;]*)/.exec(stylesheet().css)?.[1] ?? ''
    for (const stack of [latin, serifFor('en')]) {
      const names = stack.split(',').map((name) => name.replaceAll(/["']/g, ''))
      expect(names.slice(0, 3)).toEqual(['Iowan Old Style', 'Palatino Linotype', 'Palatino'])
      expect(names.slice(-1)).toEqual(['serif'])
      expect(names).toContain('Noto Serif CJK SC')
      expect(names).toContain('P052')
    }
  })

  it('has text at 7:1 and more on both papers', () => {
    for (const { ink, quiet, paper } of Object.values(colours)) {
      expect(contrast(ink, paper)).toBeGreaterThan(7)
      expect(contrast(quiet, paper)).toBeGreaterThan(7)
    }
  })
})
