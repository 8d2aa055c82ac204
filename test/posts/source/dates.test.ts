import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInstant } from '../../../functions/posts/format-instant.ts'
import { readDate, startOfDay } from '../../../functions/posts/source/dates.ts'

const read = (text: string, zone = 'UTC') => {
  const date = readDate(text, zone)
  return date && formatInstant(date)
}

describe('a date that an author writes', () => {
  it.each([
    ['2022-02-23 12:08:51 +0800', '2022-02-23T04:08:51Z'],
    ['2022-02-23 12:08:51 +08:00', '2022-02-23T04:08:51Z'],
    ['2022-02-23 12:08:51 +08', '2022-02-23T04:08:51Z'],
    ['2022-02-23T12:08:51+0800', '2022-02-23T04:08:51Z'],
    ['2022-02-23t04:08:51z', '2022-02-23T04:08:51Z'],
    ['2022-02-23T04:08:51.999Z', '2022-02-23T04:08:51Z'],
    ['2022-02-23 04:08:51 UTC', '2022-02-23T04:08:51Z'],
    ['2022-02-23 04:08 GMT+1', '2022-02-23T03:08:00Z'],
    ['2022-02-23 4:08', '2022-02-23T04:08:00Z'],
    ['2022-02-23', '2022-02-23T00:00:00Z'],
    ['2022-2-3', '2022-02-03T00:00:00Z'],
    ['2022/02/23 04:08', '2022-02-23T04:08:00Z'],
    ['2022.2.23', '2022-02-23T00:00:00Z'],
    ['20220223', '2022-02-23T00:00:00Z'],
    ['20220223T040851Z', '2022-02-23T04:08:51Z'],
    ['2021年12月1日 13:33', '2021-12-01T13:33:00Z'],
    ['2021年12月1日', '2021-12-01T00:00:00Z'],
    ['2021년 12월 1일', '2021-12-01T00:00:00Z'],
    ['Wed, 23 Feb 2022 04:08:51 GMT', '2022-02-23T04:08:51Z'],
    ['Wed, 23 Feb 2022 04:08:51 -0500', '2022-02-23T09:08:51Z'],
    ['23 February 2022', '2022-02-23T00:00:00Z'],
    ['February 23rd, 2022 at 4:08 pm', '2022-02-23T16:08:00Z'],
    ['Feb 23, 2022 12:00 AM', '2022-02-23T00:00:00Z'],
    ['Wed Feb 23 04:08:51 UTC 2022', '2022-02-23T04:08:51Z'],
    ['2022-02-23 05:08 Europe/Berlin', '2022-02-23T04:08:00Z'],
    ['2022-02-23T05:08:00+01:00[Europe/Berlin]', '2022-02-23T04:08:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['9999-12-31', '9999-12-31T00:00:00Z'],
  ])('%s means %s', (text, instant) => {
    expect(read(text)).toBe(instant)
  })

  it.each([
    '+0800',
    '800',
    '0',
    '1645589331',
    '2022',
    '2022-02',
    '2022-13-01',
    '2023-02-29',
    '2022-02-31 10:00',
    '2022-00-10',
    '0000-00-00 00:00:00',
    '1899-12-31',
    '0800-01-01',
    '2022-02-23 24:00',
    '2022-02-23 12:60',
    '2022-02-23 13:00 pm',
    '2022-02-23 12:08:51 +9900',
    '2022-02-23 12:08 CST',
    '2022-02-23 12:08 Mars/Base',
    '2023-01-29 18:30:22 2023 -0800',
    '01/02/2022',
    '22-02-23',
    '2022-02-23-05',
    'yesterday',
    '2022-02-23 or so',
    '-202205262391921712',
    '202205262391921712',
    '<%= date %>',
    '{{ date }}',
  ])('%s is not guessed at', (text) => {
    expect(read(text)).toBeUndefined()
  })
})

describe('a date without a zone', () => {
  it.each([
    ['2022-02-23 12:08:51', 'Asia/Shanghai', '2022-02-23T04:08:51Z'],
    ['2022-02-23', 'Asia/Shanghai', '2022-02-22T16:00:00Z'],
    ['2022-07-01 12:00', 'Europe/Berlin', '2022-07-01T10:00:00Z'],
    ['2022-01-01 12:00', 'Europe/Berlin', '2022-01-01T11:00:00Z'],
    ['2022-03-27 02:30', 'Europe/Berlin', '2022-03-27T01:30:00Z'],
    ['2022-10-30 02:30', 'Europe/Berlin', '2022-10-30T00:30:00Z'],
    ['2022-01-01 12:00', 'Asia/Kathmandu', '2022-01-01T06:15:00Z'],
  ])('%s is read in %s', (text, zone, instant) => {
    expect(read(text, zone)).toBe(instant)
  })

  it('keeps a zone of its own', () => {
    expect(read('2022-02-23 04:08:51Z', 'Asia/Shanghai')).toBe('2022-02-23T04:08:51Z')
  })
})

it('every instant of the calendar comes back as it was written', () => {
  const instants = fc.date({
    min: new Date('1900-01-01'),
    max: new Date('9999-12-31'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(instants, (date) => {
      const text = formatInstant(date)
      expect(read(text)).toBe(text)
      expect(read(text.replace('T', ' ').replace('Z', ' +0000'))).toBe(text)
    }),
  )
})

it('any text is a date or none, and never an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(() => read(text)).not.toThrow()
    }),
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[\d:/. +TZapm-]{0,40}$/), (text) => {
      const date = readDate(text, 'Europe/Berlin')
      if (date) expect(date.getUTCFullYear()).toBeGreaterThanOrEqual(1900)
    }),
  )
})

it('a day that does not exist has no start', () => {
  expect(startOfDay({ year: 2023, month: 2, day: 29 }, 'UTC')).toBeUndefined()
})
