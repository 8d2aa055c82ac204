import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openDatabase } from '../../functions/local/database.ts'
import { sqliteRecordStore } from '../../functions/local/sqlite-record-store.ts'
import { recordStoreContract } from '../contracts/record-store.ts'
import { killedWriter } from '../support/killed-writer.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function openOn(file: string) {
  let present = Date.parse('2026-03-02T08:00:00Z')
  const now = () => new Date(present)
  const database = openDatabase(file)
  return {
    records: sqliteRecordStore({ database, now }),
    now,
    advance: async (ms: number) => {
      present += ms
    },
    again: async () => sqliteRecordStore({ database, now }),
    close: async () => database.close(),
  }
}

recordStoreContract('SQLite in memory', async () => openOn(':memory:'))
recordStoreContract('SQLite in a file', async () => openOn(join(temporaryFolder(), 'r.sqlite')))

function openFile(file: string) {
  const database = openDatabase(file)
  onTestFinished(() => database.close())
  const records = sqliteRecordStore({ database, now: () => new Date() })
  return { database, records, close: database.close }
}

const item = (sort: string, value: string = sort) => ({ partition: 'p', sort, value })

describe('the file', () => {
  it('keeps what was answered when the process is killed at any instant', async () => {
    const file = join(temporaryFolder(), 'r.sqlite')
    for (const [round, lines] of [50, 9, 160].entries()) {
      const sorts = await killedWriter('test/local/record-writer.ts', [file, `${round}`], lines)
      const { records, close } = openFile(file)
      const found = await records.getMany<{ sort: string }>(
        sorts.map((sort) => ({ partition: 'p', sort })),
      )
      expect(found.map((record) => record?.value.sort)).toEqual(sorts)
      const count = await records.get<{ count: number }>({ partition: 'count', sort: `${round}` })
      expect(count?.value.count).toBeGreaterThanOrEqual(sorts.length)
      close()
    }
  })

  it('gives no version again after a restart', async () => {
    const file = join(temporaryFolder(), 'r.sqlite')
    const versions = new Set<string>()
    for (let i = 0; i < 4; i++) {
      const { records, close } = openFile(file)
      for (let n = 0; n < 3; n++) {
        const put = await records.put(item('a'))
        if (put.status === 'stored') versions.add(put.version)
      }
      await records.delete(item('a'))
      close()
    }
    expect(versions.size).toBe(12)
  })

  it('that another program has locked is waited for', async () => {
    const file = join(temporaryFolder(), 'r.sqlite')
    const { database, records } = openFile(file)
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    const asked = vi.spyOn(database.db, 'exec')
    const waiting = Promise.all([records.put(item('a')), records.put(item('b'))])
    const refusals = () => asked.mock.results.filter(({ type }) => type === 'throw')
    await vi.waitUntil(() => refusals().length > 2, { timeout: 15_000 })
    other.exec('ROLLBACK')
    expect((await waiting).map(({ status }) => status)).toEqual(['stored', 'stored'])
    other.close()
  })

  it('that is full is told to those who write, keeps what it has, and takes writes again later', async () => {
    const file = join(temporaryFolder(), 'r.sqlite')
    const database = openDatabase(file)
    onTestFinished(() => database.close())
    const records = sqliteRecordStore({ database, now: () => new Date() })
    await records.put(item('before'))
    const pages = database.db.prepare('PRAGMA page_count').get()?.page_count as number
    database.db.exec(`PRAGMA max_page_count = ${pages + 2}`)
    const large = 'x'.repeat(50_000)
    const outcomes = await Promise.allSettled([
      records.put(item('a', large)),
      records.put(item('b', large)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((outcomes[0] as PromiseRejectedResult).reason.message).toMatch(/full/)
    expect((await records.query('p')).records.map(({ sort }) => sort)).toEqual(['before'])
    database.db.exec('PRAGMA max_page_count = 1000000')
    await records.put(item('a', large))
    expect((await records.query('p')).records.map(({ sort }) => sort)).toEqual(['a', 'before'])
  })
})

describe('a group of writes', () => {
  it('is committed together and answered one by one, each by its own condition', async () => {
    const database = openDatabase(join(temporaryFolder(), 'r.sqlite'))
    onTestFinished(() => database.close())
    const records = sqliteRecordStore({ database, now: () => new Date() })
    await records.put(item('taken'))
    let commits = 0
    const exec = database.db.exec.bind(database.db)
    database.db.exec = (sql) => {
      if (sql === 'COMMIT') commits++
      exec(sql)
    }
    const outcomes = await Promise.all([
      ...Array.from({ length: 200 }, (_, i) => records.put(item(`${i}`))),
      records.put(item('taken', 'no'), { ifAbsent: true }),
      records.put(item('0', 'over'), { ifVersion: 'none' }),
    ])
    expect(commits).toBe(1)
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 200 }, () => 'stored'),
      'conflict',
      'conflict',
    ])
  })

  it('sees in each step what the steps before it did', async () => {
    const { records } = openFile(join(temporaryFolder(), 'r.sqlite'))
    const [first, second, sum] = await Promise.all([
      records.put({ partition: 'p', sort: 'a', value: { count: 1 } }, { ifAbsent: true }),
      records.put({ partition: 'p', sort: 'a', value: { count: 9 } }, { ifAbsent: true }),
      records.add({ partition: 'p', sort: 'a' }, 1),
    ])
    expect([first.status, second.status, sum]).toEqual(['stored', 'conflict', 2])
  })

  it('is not undone by one step that fails', async () => {
    const database = openDatabase(':memory:')
    onTestFinished(() => database.close())
    const records = sqliteRecordStore({ database, now: () => new Date() })
    const outcomes = await Promise.allSettled([
      records.put(item('a')),
      database.write(() => database.prepare('INSERT INTO records (id) VALUES (1)').run()),
      records.put(item('b')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await records.query('p')).records).toHaveLength(2)
  })

  it('that waits when the file is closed is written first', async () => {
    const file = join(temporaryFolder(), 'r.sqlite')
    const first = openFile(file)
    const put = first.records.put(item('last'))
    first.close()
    expect((await put).status).toBe('stored')
    await expect(first.records.put(item('later'))).rejects.toThrow('closed')
    expect(await openFile(file).records.get(item('last'))).toBeDefined()
  })
})

it('removes expired items a few at a time', async () => {
  let present = Date.parse('2026-03-02T08:00:00Z')
  const database = openDatabase(':memory:')
  const records = sqliteRecordStore({ database, now: () => new Date(present) })
  onTestFinished(() => database.close())
  await records.putMany(
    Array.from({ length: 25 }, (_, i) => ({
      ...item(`${i}`),
      expiresAt: new Date(present + 1000),
    })),
  )
  await records.put(item('stays'))
  expect(await records.prune(10)).toBe(0)
  present += 2000
  expect([await records.prune(10), await records.prune(10), await records.prune(10)]).toEqual([
    10, 10, 5,
  ])
  expect(database.db.prepare('SELECT count(*) AS n FROM records').get()?.n).toBe(1)
})
