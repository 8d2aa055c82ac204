import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openService, type Service } from './service.ts'

const corpus = fileURLToPath(new URL('../../../shared/corpus', import.meta.url))

interface ReportLine {
  path: string
  outcome: string
  id?: string
  code?: string
  reason?: string
}

/** Every file below a folder, as `import` sends it. */
async function importFolder({ api }: Service, folder: string): Promise<ReportLine[]> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
  const lines = paths.map((path) =>
    JSON.stringify({ path, sourceBase64: readFileSync(join(folder, path)).toString('base64') }),
  )
  const response = await api('POST', '/api/v1/imports', lines.join('\n'), {
    'content-type': 'application/x-ndjson',
  })
  const report = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(report.map(({ path }) => path)).toEqual(paths)
  return report
}

const seedPath = '2022-02-23-202202232285944283.md'

describe.skipIf(!existsSync(corpus))('the posts of real sites', () => {
  it('of finews: the seed post is where and what it should be', async () => {
    const service = await openService({
      settings: { site: { timeZone: 'Asia/Shanghai' }, content: { timeZone: 'Asia/Shanghai' } },
    })
    const report = await importFolder(service, join(corpus, 'finews'))
    const seed = report.find(({ path }) => path === seedPath)
    expect(seed?.outcome).toBe('published')
    const post = await (await service.api('GET', `/api/v1/posts/${seed?.id}`)).json()
    expect(post).toMatchObject({
      published: '2022-02-23T04:08:51Z',
      categories: ['taizhouribao'],
    })
    expect(post.canonicalUrl).toMatch(/^https?:\/\//)
    const { items } = await (await service.api('GET', '/api/v1/categories')).json()
    expect(items).toContainEqual(
      expect.objectContaining({ slug: 'taizhouribao', title: '泰州日报新闻' }),
    )

    const { rss, atom, json } = await service.feeds('taizhouribao')
    const entry = json.items.find(({ url }) => url === post.canonicalUrl)
    expect(entry?.title).toBe(post.title)
    expect(Date.parse(entry?.date_published ?? '')).toBe(Date.parse('2022-02-23T04:08:51Z'))
    for (const document of [rss, atom]) {
      expect(document).toContain(post.title)
      expect(document).toContain('泰州日报新闻')
    }
    const category = await service.page('/categories/taizhouribao/')
    expect(category.html).toContain(post.title)
    expect(category.html).toContain('泰州日报新闻')
    const own = await service.page(post.url)
    expect([own.status, own.html.includes(post.title)]).toEqual([200, true])
    for (const text of [entry?.content_html ?? '', own.html]) expect(text).not.toContain('返回')

    const malformed = report.find(({ path }) => path === '-202205262391921712.md')
    expect(malformed).toMatchObject({ outcome: 'refused', code: 'post.date' })
    expect(malformed?.reason).toContain('cannot be read as a date')
  })

  it.each(['finews', 'jekyll', 'rust-blog'])(
    'of %s: every file has an outcome, no date is invented, a repeat changes nothing, nobody is mailed',
    async (name) => {
      const service = await openService({ now: '2026-11-25T12:00:00Z' })
      const first = await importFolder(service, join(corpus, name))
      for (const { outcome, id, code, reason } of first) {
        if (outcome === 'published') expect(id).toMatch(/^[0-9a-f]{16}$/)
        else
          expect([outcome, code, reason]).toEqual([
            expect.stringMatching(/hidden|ignored|refused/),
            expect.any(String),
            expect.any(String),
          ])
      }
      expect(first.filter(({ outcome }) => outcome === 'published').length).toBeGreaterThan(15)
      const ids = first.flatMap(({ id }) => (id ? [id] : []))
      expect(new Set(ids).size).toBe(ids.length)

      const { items } = await (await service.api('GET', '/api/v1/posts?limit=1000')).json()
      for (const { published } of items as { published: string }[]) {
        expect(published > '1999' && published < '2026-11-25').toBe(true)
      }
      const again = await importFolder(service, join(corpus, name))
      const became = (report: ReportLine[]) =>
        report.map(({ path, outcome }) => [path, outcome === 'published' ? 'unchanged' : outcome])
      expect(became(again)).toEqual(became(first))
      expect(again.filter(({ outcome }) => outcome === 'published')).toEqual([])
      expect(await service.mails()).toEqual([])
    },
    60_000,
  )
})
