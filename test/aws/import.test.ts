import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, withKey } from '../../cli/connection.ts'
import { importFiles, importLines, type Outcome } from '../../cli/import-stream.ts'
import { type FoundFile, postFiles } from '../../cli/post-files.ts'
import { createApiKey } from '../../functions/api/api-keys.ts'
import { importPart } from '../../functions/aws/web.lambda.ts'
import { recordKeys } from '../../functions/keys.ts'
import { scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { functionUrlEvent } from '../support/aws/function-url-event.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'

/** What Lambda takes as the payload of a call. */
const mostPayload = 6 * 1024 * 1024

let servers: Awaited<ReturnType<typeof startGatedServers>>
let folder: string
beforeAll(async () => {
  servers = await startGatedServers()
})
afterEach(() => expect(servers.gate.takeFaults()).toEqual([]))
afterAll(() => servers.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A deployed service as the command line sees it at its address, and what it was sent. */
async function deployed() {
  const platform = await scratchAwsPlatform(servers)
  const { key } = await createApiKey(platform, 'test')
  const imports: { query: string; bytes: number }[] = []
  const connection: Connection = {
    kind: 'server',
    fetch: async (path, init = {}) => {
      const asked = withKey(init, key)
      const payload = JSON.stringify(await functionUrlEvent(path, asked))
      if (Buffer.byteLength(payload) > mostPayload) return new Response('', { status: 413 })
      if (path.startsWith('/api/v1/imports')) {
        imports.push({ query: path.slice(path.indexOf('?')), bytes: Buffer.byteLength(payload) })
      }
      return platform.doorways.web(path, asked)
    },
    close: async () => {},
  }
  return { platform, connection, imports }
}

const post = (id: string, content: string) =>
  `---\ntitle: ${id}\nid: ${id}\ndate: 2026-01-01\n---\n${content}\n`

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

const found = (): AsyncIterable<FoundFile> => postFiles([folder])
const collect = (outcomes: AsyncGenerator<Outcome>) => Array.fromAsync(outcomes)
const brief = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ path, outcome, code }) => [path, outcome, ...(code ? [code] : [])]).sort()

describe('an import into a deployed service', () => {
  it('says how much one request takes, and keeps within it', async () => {
    const { connection } = await deployed()
    const { importPart: told } = (await (await connection.fetch('/healthz')).json()) as {
      importPart: typeof importPart
    }
    expect(told).toEqual(importPart)
    // The most that a part may have, with headers as long as Lambda takes them.
    const event = await functionUrlEvent('/api/v1/imports', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', cookie: 'c'.repeat(32_000) },
      body: Buffer.alloc(importPart.bytes, 'x'),
    })
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(mostPayload)
  })

  it('goes in as many requests as it takes, and is one import', async () => {
    const { connection, imports, platform } = await deployed()
    const names = Array.from({ length: 9 }, (_, i) => `post-${i}`)
    for (const name of names) write(`${name}.md`, post(name, 'x'.repeat(1_200_000)))
    const outcomes = await collect(importFiles(connection, found(), ''))
    expect(brief(outcomes)).toEqual(names.map((name) => [`${name}.md`, 'published']))
    expect(imports.length).toBeGreaterThan(2)
    const asked = imports.map(({ query }) => new URLSearchParams(query))
    expect(new Set(asked.map((query) => query.get('import'))).size).toBe(1)
    expect(asked.map((query) => query.get('line'))).toEqual(['1', '4', '7'])
    const repeated = await collect(importFiles(connection, found(), ''))
    expect(brief(repeated)).toEqual(names.map((name) => [`${name}.md`, 'unchanged']))
    // What the parts had to know of each other is gone after a day.
    platform.advance(2 * 86_400_000)
    const id = asked[0]?.get('import') ?? ''
    expect((await platform.records.query(recordKeys.importMet(id))).records).toEqual([])
  }, 120_000)

  it.each(['', '?dryRun=true'])(
    'refuses the second of two files that lead to one post, also in different requests%s',
    async (query) => {
      const { connection, imports } = await deployed()
      write('a.md', post('same', 'first'))
      for (const name of ['b', 'c', 'd', 'e'])
        write(`${name}.md`, post(name, 'x'.repeat(1_200_000)))
      write('f.md', post('same', 'second'))
      const outcomes = await collect(importFiles(connection, found(), query))
      expect(imports.length).toBeGreaterThan(1)
      expect(brief(outcomes)).toEqual([
        ...['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}.md`, 'published']),
        ['f.md', 'refused', 'post.duplicate'],
      ])
    },
    120_000,
  )

  it('refuses by name what is too large for any request, and says the way out', async () => {
    const { connection } = await deployed()
    write('large.html', `<p>${'x'.repeat(4_800_000)}</p>`)
    write('small.md', post('small', 'x'))
    const outcomes = await collect(importFiles(connection, found(), ''))
    expect(brief(outcomes)).toEqual([
      ['large.html', 'refused', 'import.too-large'],
      ['small.md', 'published'],
    ])
    expect(outcomes.find(({ path }) => path === 'large.html')?.reason).toMatch(/4\.6 MB.*--stack/)
  })

  it('names the lines of a file of NDJSON as they are numbered in it', async () => {
    const { connection, imports } = await deployed()
    const line = (id: string, size = 10) =>
      JSON.stringify({ id, title: id, published: '2026-01-01', content: 'x'.repeat(size) })
    const lines = [
      line('one', 1_900_000),
      '',
      line('two', 1_900_000),
      'no JSON',
      line('three', 5_000_000),
      ...Array<string>(150).fill(''),
      line('four', 1_900_000),
      '{}',
    ]
    write('posts.ndjson', lines.join('\n'))
    const outcomes = await collect(importLines(connection, join(folder, 'posts.ndjson'), ''))
    expect(imports.length).toBe(2)
    expect(outcomes.map(({ path, outcome }) => `${path} ${outcome}`).sort()).toEqual([
      'line 1 published',
      'line 156 published',
      'line 157 refused',
      'line 3 published',
      'line 4 refused',
      'line 5 refused',
    ])
  }, 60_000)

  it('may send a part again, as after a broken line', async () => {
    const { connection } = await deployed()
    const send = async (line: number, ...ids: string[]) => {
      const body = ids.map(
        (id) => `${JSON.stringify({ id, title: id, published: '2026-01-01', content: id })}\n`,
      )
      const response = await connection.fetch(`/api/v1/imports?import=again-again&line=${line}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: body.join(''),
      })
      const answered = (await response.text()).trim().split('\n')
      return answered.map((text) => (JSON.parse(text) as Outcome).outcome)
    }
    expect(await send(1, 'a', 'b')).toEqual(['published', 'published'])
    expect(await send(3, 'c')).toEqual(['published'])
    expect(await send(1, 'a', 'b')).toEqual(['unchanged', 'unchanged'])
    expect(await send(3, 'c', 'a')).toEqual(['unchanged', 'refused'])
  })

  it.each(['?import=short', '?import=no%20blanks%20here', '?import=good-name&line=0', '?line=x'])(
    'is not taken with %s',
    async (query) => {
      const { connection } = await deployed()
      const response = await connection.fetch(`/api/v1/imports${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{}\n',
      })
      expect(response.status).toBe(422)
    },
  )
})
