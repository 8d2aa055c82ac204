import { describe, expect, it } from 'vitest'
import type { Settings } from '../../../functions/settings/settings.ts'
import { outcomeOf, parsed, refusalOf, siteSettings } from '../parsed.ts'

const inZone = (timeZone: string): { settings: Settings } => ({
  settings: { ...siteSettings, content: { ...siteSettings.content, timeZone } },
})
const post = (head: string) => `---\ntitle: A letter\n${head}\n---\nText.`

describe('the time of a letter', () => {
  it.each([
    ['mail_at: 2026-03-06 08:00', '2026-03-06T07:00:00Z'],
    ['mailAt: 2026-03-06T08:00', '2026-03-06T07:00:00Z'],
    ['mail-at: "2026-03-06 08:00 -0500"', '2026-03-06T13:00:00Z'],
    ['mail_at: 2026-03-06T08:00:00Z', '2026-03-06T08:00:00Z'],
    ['mail_at: 6 March 2026 8:00 am', '2026-03-06T07:00:00Z'],
    ['mail_at: 2020-01-01 08:00', '2020-01-01T07:00:00Z'],
    ['mail_at:', undefined],
  ])('is read from `%s`, local time in the zone of dates', (head, instant) => {
    expect(parsed(post(head), {}, inZone('Europe/Berlin')).mailAt).toBe(instant)
  })

  it.each([
    // Skipped in spring: the first instant after the gap.
    ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:00:00Z'],
    ['America/New_York', '2026-03-08 02:30', '2026-03-08T07:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:30:00Z'],
    // Twice in autumn: the first of the two.
    ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00Z'],
    ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00Z'],
    // The days beside them.
    ['Europe/Berlin', '2026-03-28 08:00', '2026-03-28T07:00:00Z'],
    ['Europe/Berlin', '2026-03-30 08:00', '2026-03-30T06:00:00Z'],
    ['Europe/Berlin', '2026-10-26 08:00', '2026-10-26T07:00:00Z'],
  ])('is one instant when the clocks change: %s, %s', (zone, written, instant) => {
    expect(parsed(post(`mail_at: ${written}`), {}, inZone(zone)).mailAt).toBe(instant)
  })

  it('is read from JSON', () => {
    const json = (mailAt: unknown) =>
      parsed(
        JSON.stringify({ title: 'A letter', content: 'Text.', mailAt }),
        { contentType: 'application/json' },
        inZone('Asia/Tokyo'),
      ).mailAt
    expect(json('2026-03-06T08:00:00+01:00')).toBe('2026-03-06T07:00:00Z')
    expect(json('2026-03-06 08:00')).toBe('2026-03-05T23:00:00Z')
    expect(json(null)).toBeUndefined()
  })

  it.each([
    'tomorrow',
    'Friday 8:00',
    '08:00',
    '2026-03-06',
    '6 March 2026',
    '06/03/2026 08:00',
    '2026-02-30 08:00',
    '2026-03-06 25:00',
    '1772784000',
    '[2026-03-06 08:00]',
    `2026-03-06 08:00 ${'x'.repeat(5000)}`,
  ])('that cannot be read as a day and an hour is refused by name: %s', (written) => {
    const refusal = refusalOf(() => outcomeOf(post(`mail_at: ${written}`)))
    expect(refusal.code).toBe('post.mail-at')
    expect(refusal.message).toContain('`2026-03-06 08:00`')
    expect(refusal.message.length).toBeLessThan(300)
  })
})
