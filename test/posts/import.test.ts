import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { getCategory } from '../../functions/posts/categories.ts'
import { type ImportOptions, importPosts, type ReportLine } from '../../functions/posts/import.ts'
import { pathFault, readImportLine } from '../../functions/posts/import-line.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { readLines } from '../../functions/posts/ndjson.ts'
import { getPost } from '../../functions/posts/post.ts'
import { getPostBody } from '../../functions/posts/post-body.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, mortal, titlesIn } from './consistency.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

async function importAll(lines: object[], options?: ImportOptions): Promise<ReportLine[]> {
  const read = lines.map((line, i) => readImportLine(JSON.stringify(line), i + 1))
  return Array.fromAsync(importPosts(platform, read, options))
}

const file = (path: string, front: string, body = 'Two words.') => ({
  path,
  source: `---\n${front}\n---\n\n${body}\n`,
})

describe('importPosts', () => {
  it('reports every line by name, in order, with its outcome', async () => {
    const lines = [
      file('2022-02-23-a.md', 'title: A\ncategory: news'),
      file('b.md', 'title: B'),
      file('2022-02-24-d.md', 'title: D\npublished: false'),
      { path: 'cat.jpg', sourceBase64: 'AAAA' },
      { path: 'dog.png' },
      file('news/_index.md', 'title: News'),
      { title: 'From the API', content: 'Words.', published: '2022-01-01', id: 'x1' },
      { path: 'c.md' },
      { path: '/etc/passwd', source: 'x' },
    ]
    const report = await importAll(lines)
    expect(report.map(({ path, outcome, code }) => [path, outcome, code])).toEqual([
      ['2022-02-23-a.md', 'published', undefined],
      ['b.md', 'refused', 'post.date-missing'],
      ['2022-02-24-d.md', 'hidden', 'post.hidden'],
      ['cat.jpg', 'ignored', 'post.not-a-post'],
      ['dog.png', 'ignored', 'post.not-a-post'],
      ['news/_index.md', 'ignored', expect.any(String)],
      ['line 7', 'published', undefined],
      ['c.md', 'refused', 'import.line'],
      ['/etc/passwd', 'refused', 'post.path'],
    ])
    for (const { outcome, id, reason } of report) {
      expect(id === undefined).toBe(outcome === 'ignored' || outcome === 'refused')
      expect(reason === undefined).toBe(outcome === 'published')
    }
    expect(await faultsOf(platform)).toEqual([])
    const kept = await platform.objects.get('inbox/rejected/b.md')
    expect(new TextDecoder().decode(kept?.body)).toBe(
      lines[1] && 'source' in lines[1] ? lines[1].source : '',
    )
  })

  it('changes nothing a second time', async () => {
    const lines = [
      file('2022-02-23-a.md', 'title: A'),
      file('2022-02-24-d.md', 'title: D\ndraft: true'),
    ]
    await importAll(lines)
    const counted = mortal(platform)
    const again = await Array.fromAsync(
      importPosts(
        counted.platform,
        lines.map((line, i) => readImportLine(JSON.stringify(line), i + 1)),
      ),
    )
    expect(again.map(({ outcome }) => outcome)).toEqual(['unchanged', 'hidden'])
    expect(counted.counter.names.filter((name) => /put|add|delete|enqueue/.test(name))).toEqual([])
  })

  it('refuses the second of two that lead to one post, on a dry run as well', async () => {
    const lines = [
      file('2022-02-23-a.md', 'title: A\nid: same'),
      file('2022-02-24-b.md', 'title: B\nid: same'),
      file('2022-02-25-c.md', 'title: C'),
      file('2022-02-25-c.md', 'title: C'),
    ]
    for (const dryRun of [true, false]) {
      const report = await importAll(lines, { dryRun })
      expect(report.map(({ outcome, code }) => code ?? outcome)).toEqual([
        'published',
        'post.duplicate',
        'published',
        'post.duplicate',
      ])
      if (dryRun) expect(await titlesIn(platform, '*')).toEqual([])
    }
    expect(await titlesIn(platform, '*')).toEqual(['C', 'A'])
  })

  it('refuses it also in another window', async () => {
    const many = Array.from({ length: 300 }, (_, i) => file(`2022-02-23-p${i}.md`, `title: P${i}`))
    const report = await importAll([
      file('2022-01-01-a.md', 'title: A\nid: same'),
      ...many,
      file('2022-01-02-b.md', 'title: B\nid: same'),
    ])
    expect(report.at(-1)).toMatchObject({ outcome: 'refused', code: 'post.duplicate' })
    expect(report.filter(({ outcome }) => outcome === 'published')).toHaveLength(301)
  })

  it('mails nobody unless asked', async () => {
    await importAll([file('2026-03-01-a.md', 'title: A')])
    await importAll([file('2026-03-01-b.md', 'title: B')], { mail: true })
    expect((await readLogHead(platform)).entries.map(({ mail }) => mail)).toEqual([
      'none',
      'digest',
    ])
    const jobs = await platform.jobs.receive('work', { limit: 10, leaseSeconds: 60 })
    expect(jobs.map(({ job }) => job.kind)).toEqual(['instant'])
  })

  it('knows posts by their file’s name alone when asked', async () => {
    const [first] = await importAll([file('drafts/2022-02-23-a.md', 'title: A')], {
      identity: 'name',
    })
    const [second] = await importAll([file('posts/2022-02-23-a.md', 'title: A')], {
      identity: 'name',
    })
    expect(second).toMatchObject({ outcome: 'unchanged', id: first?.id })
    const [third] = await importAll([file('elsewhere/2022-02-23-a.md', 'title: A')])
    expect(third?.id).not.toBe(first?.id)
  })

  it('enqueues each feed once, after the last window, and pages in groups', async () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      file(`2022-02-23-p${i}.md`, `title: P${i}\ncategory: a`),
    )
    const jobIds: string[] = []
    await importAll(many, { onJobs: (ids) => jobIds.push(...ids) })
    const received = []
    for (;;) {
      const some = await platform.jobs.receive('urgent', { limit: 10, leaseSeconds: 60 })
      if (some.length === 0) break
      received.push(...some)
    }
    expect(received.map(({ id }) => id).sort()).toEqual([...jobIds].sort())
    const jobs = received.map(({ job }) => job)
    expect(jobs.filter(({ kind }) => kind === 'regenerate')).toHaveLength(2)
    const pages = jobs.flatMap((job) => (job.kind === 'post-pages' ? [job.postIds.length] : []))
    expect(Math.max(...pages)).toBeLessThanOrEqual(100)
    expect(pages.reduce((a, b) => a + b, 0)).toBe(600)
  }, 60_000)

  it('loses nothing that was reported when its reader leaves, and goes on where it stopped', async () => {
    const many = Array.from({ length: 400 }, (_, i) => file(`2022-02-23-p${i}.md`, `title: P${i}`))
    const lines = many.map((line, i) => readImportLine(JSON.stringify(line), i + 1))
    const seen: string[] = []
    for await (const { id } of importPosts(platform, lines)) {
      seen.push(id as string)
      if (seen.length === 10) break
    }
    for (const id of seen) expect((await getPost(platform, id))?.value.state).toBe('visible')
    const jobs = await platform.jobs.receive('urgent', { limit: 10, leaseSeconds: 60 })
    expect(jobs.map(({ job }) => job)).toContainEqual({ kind: 'regenerate', feed: '*' })
    const report = await Array.fromAsync(importPosts(platform, lines))
    expect(report.map(({ outcome }) => outcome)).toEqual([
      ...Array(256).fill('unchanged'),
      ...Array(144).fill('published'),
    ])
    expect(await faultsOf(platform)).toEqual([])
  })
})

describe('readImportLine', () => {
  it.each([
    ['nonsense', 'import.line', 'line 3'],
    ['[]', 'import.line', 'line 3'],
    ['"text"', 'import.line', 'line 3'],
    ['null', 'import.line', 'line 3'],
    ['{"path":7,"source":"x"}', 'import.line', 'line 3'],
    ['{"path":"a.md","source":7}', 'import.line', 'a.md'],
    ['{"source":"x"}', 'import.line', 'line 3'],
    ['{"path":"a.md","source":"x","contentType":"text/rtf"}', 'import.line', 'a.md'],
    ['{"path":"a/../b.md","source":"x"}', 'post.path', 'a/../b.md'],
  ])('refuses %s by name', (text, code, name) => {
    expect(readImportLine(text, 3)).toMatchObject({ status: 'refused', code, name })
  })

  it('takes any path below its root, and none that leads out of it', () => {
    expect(pathFault('_posts/2022-02-23-a b.md')).toBeUndefined()
    expect(pathFault('C:\\x.md')).toBeTruthy()
    expect(pathFault('a\u0000.md')).toBeTruthy()
    expect(pathFault('x'.repeat(901))).toBeTruthy()
  })
})

describe('readLines', () => {
  const streamOf = (...chunks: (string | Uint8Array)[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) {
          controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
        }
        controller.close()
      },
    })
  const linesOf = (...chunks: (string | Uint8Array)[]) =>
    Array.fromAsync(readLines(streamOf(...chunks), 8))

  it('cuts lines wherever the chunks are cut, and counts empty ones', async () => {
    expect(await linesOf('a', 'b\n\n', '\r\nc', '\nd')).toEqual([
      { number: 1, text: 'ab' },
      { number: 4, text: 'c' },
      { number: 5, text: 'd' },
    ])
  })

  it('puts characters together that chunks have cut', async () => {
    const bytes = new TextEncoder().encode('"長"\n')
    expect(await linesOf(bytes.subarray(0, 2), bytes.subarray(2, 3), bytes.subarray(3))).toEqual([
      { number: 1, text: '"長"' },
    ])
  })

  it('keeps nothing of a line that is too long, and goes on after it', async () => {
    const lines = await linesOf(
      '12345678\n',
      '123456',
      '789',
      '0123\nok\n',
      new Uint8Array([255, 10]),
    )
    expect(lines).toEqual([
      { number: 1, text: '12345678' },
      { number: 2, fault: expect.stringContaining('longer') },
      { number: 3, text: 'ok' },
      { number: 4, fault: expect.stringContaining('UTF-8') },
    ])
  })
})

const corpus = resolve(import.meta.dirname, '../../../shared/corpus')
describe.skipIf(!existsSync(corpus))('the corpus', () => {
  const filesOf = (folder: string) =>
    readdirSync(join(corpus, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => ({
        path: relative(join(corpus, folder), path),
        sourceBase64: readFileSync(path).toString('base64'),
      }))

  it.each(['finews', 'jekyll', 'rust-blog'])(
    'of %s has every file in the report',
    async (folder) => {
      const files = filesOf(folder)
      const report = await importAll(files)
      expect(report.map(({ path }) => path)).toEqual(files.map(({ path }) => path))
      for (const { outcome, id, code, reason } of report) {
        if (outcome === 'refused' || outcome === 'ignored')
          expect([code, reason]).not.toContain(undefined)
        else expect(id).toMatch(/^[0-9a-f]{16}$/)
      }
      expect(report.filter(({ outcome }) => outcome === 'published').length).toBeGreaterThan(
        files.length / 3,
      )
      expect(await faultsOf(platform)).toEqual([])
    },
    60_000,
  )

  it('of finews files the seed post as its front matter says', async () => {
    const report = await importAll(filesOf('finews'))
    const seed = report.find(({ path }) => path.endsWith('2022-02-23-202202232285944283.md'))
    const post = (await getPost(platform, seed?.id as string))?.value
    expect(post).toMatchObject({ published: '2022-02-23T04:08:51Z', categories: ['taizhouribao'] })
    expect(post?.canonicalUrl).toMatch(/^https?:\/\//)
    expect((await getCategory(platform, 'taizhouribao'))?.title).toBe('泰州日报新闻')
    expect((await getPostBody(platform, post?.id as string))?.text).not.toContain('返回')
    const broken = report.find(({ path }) => path.endsWith('-202205262391921712.md'))
    expect(broken).toMatchObject({ outcome: 'refused', reason: expect.any(String) })
    const { objects } = await platform.objects.list('inbox/rejected/')
    expect(objects.map(({ key }) => key)).toContain(`inbox/rejected/${broken?.path}`)
  })
})
