import { describe, expect, it } from 'vitest'
import { CliError } from '../../cli/exit.ts'
import { instantOf } from '../../cli/instant.ts'

const now = new Date('2026-03-02T08:00:00Z')

describe('instantOf', () => {
  it.each([
    ['2026-03-09T08:00:00Z', '2026-03-09T08:00:00.000Z'],
    ['2026-03-09T10:00:00+02:00', '2026-03-09T08:00:00.000Z'],
    ['2026-03-09 08:00Z', '2026-03-09T08:00:00.000Z'],
    ['+7d', '2026-03-09T08:00:00.000Z'],
    ['+90m', '2026-03-02T09:30:00.000Z'],
  ])('reads %s', (text, instant) => {
    expect(instantOf(text, now)).toBe(instant)
  })

  it.each([
    'soon',
    '2026-03-09',
    '2026-03-09T08:00:00',
    '2026-13-01T00:00:00Z',
    '2026-02-30T08:00:00Z',
    '',
    '7d',
    '+7y',
    '1',
  ])('refuses %s instead of guessing', (text) => {
    expect(() => instantOf(text, now)).toThrow(CliError)
  })
})
