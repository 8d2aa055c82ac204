import Papa from 'papaparse'
import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { exportSubscribers } from '../../functions/subscribers/export-subscribers.ts'
import { importSubscribers } from '../../functions/subscribers/import-subscribers.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { noted, readersPlatform } from './readers-platform.ts'

const header = 'email,categories,cadence,day,at,timeZone,locale,confirmedAt,consent'
const day = 24 * 60 * 60 * 1000

async function* bytesOf(text: string) {
  yield Buffer.from(text)
}
const take = (platform: Platform, csv: string) =>
  Array.fromAsync(importSubscribers(platform, bytesOf(csv)))
const give = async (platform: Platform) =>
  (await Array.fromAsync(exportSubscribers(platform))).join('')
const outcomesOf = async (platform: Platform, csv: string) =>
  (await take(platform, csv)).map(({ outcome }) => outcome)

describe('importing readers', () => {
  it('makes readers of those with proof, owed what is listed from now on', async () => {
    const { platform, readerOf, idOf, mailsTo } = await readersPlatform()
    await platform.records.put({ ...recordKeys.logHead, value: { next: 8, entries: [] } })
    const lines = await take(
      platform,
      `${header}
Ada@Example.org,tech life,weekly,fri,9:30,europe/berlin,de,2024-05-01T10:00:00+02:00,"form on blog.example, sentence 3"
grace@example.org,,,,,,,2024-05-01,signed at the fair
`,
    )
    expect(lines).toEqual([
      { line: 2, id: idOf('ada@example.org'), outcome: 'added' },
      { line: 3, id: idOf('grace@example.org'), outcome: 'added' },
    ])
    const ada = await readerOf('ada@example.org')
    expect(ada).toMatchObject({
      email: 'Ada@example.org',
      state: 'confirmed',
      categories: { tech: 7, life: 7 },
      schedule: 'weekly-fri-0930-Europe_sBerlin',
      locale: 'de',
      confirmedAt: '2024-05-01T08:00:00.000Z',
      consent: { source: 'import', text: 'form on blog.example, sentence 3' },
    })
    expect(await platform.records.getMany(membershipRows(ada as never))).not.toContain(undefined)
    expect(await readerOf('grace@example.org')).toMatchObject({
      categories: { '*': 7 },
      schedule: 'weekly-mon-0800-UTC',
    })
    await platform.settle()
    expect(await mailsTo('ada@example.org')).toEqual([])
  })

  it('asks those without proof, once', async () => {
    const { platform, readerOf, mailsTo, post, confirmLink } = await readersPlatform()
    const csv = `${header}
a@example.org,tech,daily,,,,,,
b@example.org,tech,daily,,,,,2024-05-01,
c@example.org,tech,daily,,,,,,yes really
`
    expect(await outcomesOf(platform, csv)).toEqual(['pending', 'pending', 'pending'])
    await platform.settle()
    for (const name of ['a', 'b', 'c']) {
      expect(await readerOf(`${name}@example.org`)).toMatchObject({ state: 'pending' })
      expect(await mailsTo(`${name}@example.org`)).toHaveLength(1)
    }
    platform.advance(2 * day)
    expect(await outcomesOf(platform, csv)).toEqual(['unchanged', 'unchanged', 'unchanged'])
    await platform.settle()
    expect(await mailsTo('a@example.org')).toHaveLength(1)
    await post(await confirmLink('a@example.org'))
    expect(await readerOf('a@example.org')).toMatchObject({
      state: 'confirmed',
      categories: { tech: 0 },
      consent: { source: 'import' },
    })
  })

  it('never brings back who bounced, complained or was erased, nor who left unless they agreed later', async () => {
    const { platform, readerOf, idOf } = await readersPlatform()
    const names = ['bounced', 'complained', 'erased', 'left']
    const csv = (at: string, consent = 'yes') =>
      `email,confirmedAt,consent\n${names.map((name) => `${name}@example.org,${at},${consent}\n`).join('')}`
    await take(platform, csv('2026-01-01T00:00:00Z'))
    platform.advance(day)
    await suppress(platform, idOf('bounced@example.org'), 'hard-bounce')
    await suppress(platform, idOf('complained@example.org'), 'complaint')
    await eraseSubscriber(platform, idOf('erased@example.org'))
    await unsubscribe(platform, idOf('left@example.org'))
    platform.advance(day)
    const before = await Promise.all(names.map((name) => readerOf(`${name}@example.org`)))
    for (const list of [
      csv('2026-01-01T00:00:00Z'),
      csv('2026-03-03T07:59:59Z'),
      csv(''),
      csv('', ''),
    ]) {
      expect(await outcomesOf(platform, list)).toEqual([
        'suppressed',
        'suppressed',
        'suppressed',
        'left',
      ])
    }
    await platform.settle()
    expect(await Promise.all(names.map((name) => readerOf(`${name}@example.org`)))).toEqual(before)
    expect(await outcomesOf(platform, csv('2026-03-03T08:00:01Z'))).toEqual([
      'suppressed',
      'suppressed',
      'suppressed',
      'added',
    ])
    expect((await readerOf('left@example.org'))?.state).toBe('confirmed')
  })

  it('changes of a reader what the list has a column for', async () => {
    const { platform, readerOf } = await readersPlatform()
    await take(
      platform,
      'email,categories,cadence,confirmedAt,consent\nada@example.org,tech,daily,2026-01-01,yes\n',
    )
    await platform.records.put({ ...recordKeys.logHead, value: { next: 4, entries: [] } })
    expect(await outcomesOf(platform, 'email\nada@example.org\n')).toEqual(['unchanged'])
    expect(await outcomesOf(platform, 'email,at\nADA@example.org,18:00\n')).toEqual(['updated'])
    expect(await readerOf('ada@example.org')).toMatchObject({
      email: 'ada@example.org',
      categories: { tech: 0 },
      at: '18:00',
    })
    expect(await outcomesOf(platform, 'email,categories\nada@example.org,tech life\n')).toEqual([
      'updated',
    ])
    expect((await readerOf('ada@example.org'))?.categories).toEqual({ tech: 0, life: 3 })
  })

  it('refuses a row by its line, with a code and the way out, and takes the others', async () => {
    const { platform } = await readersPlatform()
    const lines = await take(
      platform,
      `${header}
not an address,,,,,,,,
a@example.org,nope,,,,,,2024-05-01,yes
b@example.org,,hourly,,,,,2024-05-01,yes
c@example.org,,,,25:00,,,2024-05-01,yes
d@example.org,,,,,,,yesterday,yes
e@example.org,,,,,,,2031-05-01,yes
f@example.org,,,,,,,2024-02-30,yes
"g@example.org,,,,,,,2024-05-01,yes
h@example.org,,,,,,,2024-05-01,yes
`,
    )
    expect(lines.map(({ line, outcome, code }) => [line, outcome, code])).toEqual([
      [2, 'refused', 'subscriber.email'],
      [3, 'refused', 'subscriber.categories'],
      [4, 'refused', 'subscriber.cadence'],
      [5, 'refused', 'subscriber.at'],
      [6, 'refused', 'import.confirmed-at'],
      [7, 'refused', 'import.confirmed-at'],
      [8, 'refused', 'import.confirmed-at'],
      [9, 'refused', 'import.line'],
      [10, 'added', undefined],
    ])
    for (const { line, outcome, reason } of lines) {
      if (outcome !== 'refused') continue
      expect(reason).toMatch(new RegExp(`^Line ${line}\\b.*\\.$`))
      expect(reason).not.toContain('@example')
    }
  })

  it('takes an address that stands twice once, in the order of the lines', async () => {
    const { platform, readerOf } = await readersPlatform()
    const csv =
      'email,cadence,confirmedAt,consent\nada@example.org,daily,2024-05-01,yes\nADA@example.org,monthly,2024-05-01,yes\n'
    expect(await outcomesOf(platform, csv)).toEqual(['added', 'updated'])
    expect(await readerOf('ada@example.org')).toMatchObject({ cadence: 'monthly' })
  })

  it('goes through thousands of rows, in order', async () => {
    const { platform } = await readersPlatform()
    const rows = Array.from({ length: 3000 }, (_, i) => `r${i}@example.org,tech,2024-05-01,yes`)
    const csv = `email,categories,confirmedAt,consent\n${rows.join('\n')}\n`
    const lines = await take(platform, csv)
    expect(lines.map(({ line }) => line)).toEqual(rows.map((_, i) => i + 2))
    expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(['added']))
    expect((await give(platform)).trim().split('\r\n')).toHaveLength(3001)
  }, 60_000)
})

describe('a list that was exported', () => {
  const filled = async () => {
    const all = await readersPlatform()
    const { platform, post, join, link, idOf } = all
    await take(
      platform,
      `${header}
=cmd@example.org,tech life,weekly,fri,09:30,Europe/Berlin,de,2024-05-01T08:00:00Z,"=HYPERLINK(""x"")"
+plus@example.org,,monthly,last-fri,18:00,Asia/Tokyo,en,2024-05-01T08:00:00Z,'quoted' and
O'Neil@bücher.example,,instant,,,,zh-CN,2024-05-01,"two
lines; with, everything"
`,
    )
    await join('form@example.org', { categories: 'tech' })
    await join('paused@example.org', { cadence: 'daily' })
    await post(link('preferences', 'paused@example.org'), { pausedUntil: '2026-05-01' })
    await join('star@example.org', { categories: 'tech' })
    await post(link('preferences', 'star@example.org'), { categories: '' })
    await post('/subscribe', { email: 'pending@example.org', categories: 'life' })
    await join('left@example.org')
    await unsubscribe(platform, idOf('left@example.org'))
    await join('bad@example.org')
    await suppress(platform, idOf('bad@example.org'), 'complaint')
    await join('gone@example.org')
    await eraseSubscriber(platform, idOf('gone@example.org'))
    await platform.settle()
    return all
  }

  it('names readers and those still to confirm, nobody who left, and nothing that a spreadsheet runs', async () => {
    const { platform } = await filled()
    const csv = await give(platform)
    expect(csv.split('\r\n')[0]).toBe(header)
    for (const name of ['form', 'paused', 'star', 'pending']) expect(csv).toContain(`${name}@`)
    for (const name of ['left', 'bad', 'gone']) expect(csv).not.toContain(`${name}@`)
    expect(csv).toContain("'=cmd@example.org")
    expect(csv).not.toMatch(/(^|,|\n)"?[=+\-@]/)
  })

  it('changes nothing when it is imported again, at any later time', async () => {
    const { platform } = await filled()
    const csv = await give(platform)
    platform.advance(day)
    const watched = noted(platform)
    const lines = await take(watched.platform, csv)
    expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(['unchanged']))
    expect(watched.writes).toEqual([])
    expect(await give(platform)).toBe(csv)
    const utf16 = Buffer.from(`\ufeff${csv}`, 'utf16le')
    async function* pieces() {
      yield utf16
    }
    const again = await Array.fromAsync(importSubscribers(watched.platform, pieces()))
    expect(new Set(again.map(({ outcome }) => outcome))).toEqual(new Set(['unchanged']))
    expect(watched.writes).toEqual([])
  })

  it('changes nothing either where the settings write the zone in small letters', async () => {
    const { platform } = await readersPlatform({
      settings: { digests: { timeZone: 'europe/berlin' } },
    })
    await take(platform, 'email,confirmedAt,consent\nada@example.org,2024-05-01,yes\n')
    const csv = await give(platform)
    expect(csv).toContain('Europe/Berlin')
    expect(await outcomesOf(platform, csv)).toEqual(['unchanged'])
  })

  it('has as many fields in each row as it has columns', async () => {
    const { platform } = await filled()
    const csv = await give(platform)
    const { data } = Papa.parse<string[]>(csv, { skipEmptyLines: true })
    const lengths = data.map((row) => row.length)
    expect(data.find(([email]) => email === 'pending@example.org')).toBeDefined()
    expect(new Set(lengths)).toEqual(new Set([9]))
  })

  it('makes the same readers elsewhere, and their export is the same file', async () => {
    const { platform } = await filled()
    const csv = await give(platform)
    const elsewhere = await readersPlatform()
    await take(elsewhere.platform, csv)
    const again = await give(elsewhere.platform)
    const second = await readersPlatform()
    await take(second.platform, again)
    expect(await give(second.platform)).toBe(again)
    expect(again.split('\r\n').length).toBe(csv.split('\r\n').length)
  })
})
