import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OpenService } from './service.ts'

const json = { 'content-type': 'application/json' }
const markdown = { 'content-type': 'text/markdown' }
const good = { title: 'A', content: 'x' }

/**
 * What a request gets that cannot be used: a clear word, and nothing comes of it.
 *
 * @param requests so many of them are made up
 */
export function refusalJourney(where: string, open: OpenService, { requests = 150 } = {}): void {
  describe(`${where}: what cannot be used`, () => {
    it.each<[string, string, unknown, Record<string, string>, number, string]>([
      ['POST', '/api/v1/posts', '{"title":', json, 400, 'malformed-json'],
      ['POST', '/api/v1/posts', '[]', json, 422, 'post.input'],
      ['POST', '/api/v1/posts', { ...good, published: 'soon' }, json, 422, 'post.date'],
      ['POST', '/api/v1/posts', { ...good, mail: 'pigeon' }, json, 422, 'post.input'],
      ['POST', '/api/v1/posts', good, { 'content-type': 'application/pdf' }, 415, 'media-type'],
      ['POST', '/api/v1/posts', '---\ntitle: [\n---\nx', markdown, 422, 'post.front-matter'],
      [
        'POST',
        '/api/v1/posts',
        '---\ndate: 32.13.2026\ntitle: x\n---\nx',
        markdown,
        422,
        'post.date',
      ],
      ['POST', '/api/v1/posts?path=../../etc/passwd', '# x', markdown, 422, 'post.path'],
      ['POST', '/api/v1/posts?mail=twice', '# x', markdown, 422, 'invalid-input'],
      ['POST', '/api/v1/posts', `# ${'x'.repeat(6 * 1024 * 1024)}`, markdown, 413, 'too-large'],
      ['GET', '/api/v1/posts?limit=0', undefined, {}, 422, 'invalid-input'],
      ['GET', '/api/v1/posts?limit=many', undefined, {}, 422, 'invalid-input'],
      ['GET', '/api/v1/posts/nothing', undefined, {}, 404, 'not-found'],
      ['PUT', '/api/v1/posts/nothing', good, json, 404, 'not-found'],
      ['DELETE', '/api/v1/posts/..%2f..%2fx', undefined, {}, 404, 'not-found'],
      ['GET', '/api/v1/runs/nothing', undefined, {}, 404, 'not-found'],
      ['GET', '/api/v1/subscribers/nothing', undefined, {}, 404, 'not-found'],
      ['POST', '/api/v1/subscribers', { email: 'no address' }, json, 422, 'subscriber.email'],
      [
        'POST',
        '/api/v1/subscribers',
        { email: 'a@b.example', categories: ['none'] },
        json,
        422,
        'subscriber.categories',
      ],
      [
        'POST',
        '/api/v1/subscribers',
        { email: 'a@b.example\r\nBcc: c@d.example' },
        json,
        422,
        'subscriber.email',
      ],
      [
        'POST',
        '/api/v1/subscribers/import',
        'a,b\n1,2\n',
        { 'content-type': 'text/csv' },
        422,
        'import.header',
      ],
      ['POST', '/api/v1/keys', { name: '' }, json, 422, 'key.name'],
      ['POST', '/api/v1/keys', { name: 'x', scopes: ['all'] }, json, 422, 'invalid-input'],
      ['POST', '/api/v1/keys', { name: 'test' }, json, 422, 'key.name-taken'],
      ['DELETE', '/api/v1/keys/none', undefined, {}, 404, 'not-found'],
      ['POST', '/api/v1/tick', { now: 'soon' }, json, 422, 'invalid-input'],
      ['POST', '/api/v1/tick', '{', json, 400, 'malformed-json'],
      ['POST', '/api/v1/backup', { folder: '' }, json, 422, 'invalid-input'],
      ['POST', '/api/v1/feeds/rebuild', { categories: ['none'] }, json, 404, 'not-found'],
      ['GET', '/api/v1/nothing', undefined, {}, 404, 'not-found'],
      ['GET', '/api/v2/posts', undefined, {}, 404, 'not-found'],
    ])(
      '%s %s %.40j answers with a stable code and the way out',
      async (method, path, body, headers, status, code) => {
        const { api } = await open()
        const response = await api(method, path, body, headers)
        const problem = await response.json()
        expect(problem).toMatchObject({ status, code })
        expect(response.status).toBe(status)
        expect(response.headers.get('content-type')).toBe('application/problem+json')
        expect(problem.detail).toMatch(/\.$/)
        expect(problem.title).toBeTruthy()
        expect(problem.type).toBe(`https://news.example/api/docs#error-${code}`)
        expect(JSON.stringify(problem)).not.toMatch(/node_modules|at \w+ \(|\.ts:\d/)
        // Nothing came of it.
        expect((await (await api('GET', '/api/v1/posts')).json()).items).toEqual([])
      },
    )

    it.each([
      ['', 401, 'key.missing'],
      ['Bearer bs_live_wrongwrongwrongwrongwrong', 401, 'key.missing'],
      ['Basic dXNlcjpwYXNz', 401, 'key.missing'],
    ])('is a request with the key `%s`', async (authorization, status, code) => {
      const { app } = await open()
      const response = await app.request('/api/v1/posts', { headers: { authorization } })
      expect([response.status, (await response.json()).code]).toEqual([status, code])
    })

    it('is what a key has no scope for', async () => {
      const { api, app } = await open()
      const made = await api('POST', '/api/v1/keys', { name: 'reader', scopes: ['posts:read'] })
      const { key } = await made.json()
      const headers = { authorization: `Bearer ${key}` }
      expect((await app.request('/api/v1/posts', { headers })).status).toBe(200)
      for (const path of ['/api/v1/keys', '/api/v1/subscribers', '/api/v1/runs']) {
        const response = await app.request(path, { headers })
        expect([response.status, (await response.json()).code]).toEqual([403, 'key.scope'])
      }
      await api('DELETE', '/api/v1/keys/reader')
      expect((await app.request('/api/v1/posts', { headers })).status).toBe(401)
    })

    it('is shown to a person as a page, in their language', async () => {
      const { app } = await open()
      const response = await app.request('/nothing/here', { headers: { 'accept-language': 'de' } })
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toContain('text/html')
      expect(await response.text()).toContain('<html lang="de"')
    })

    it('stops no other post of an import', async () => {
      const { api } = await open()
      const lines = [
        '{"title":"Good","content":"x","published":"2026-01-01T00:00:00Z"}',
        '{"title":',
        'null',
        '{"title":"Undated","content":"x"}',
        `{"title":"Deep","content":"x","published":"2026-01-01T00:00:00Z","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
        '{"path":"../x.md","source":"# x"}',
        '{"title":"Good, too","content":"x","published":"2026-01-01T00:00:00Z"}',
      ]
      const response = await api('POST', '/api/v1/imports', lines.join('\n'), {
        'content-type': 'application/x-ndjson',
      })
      const report = (await response.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(report).toHaveLength(lines.length)
      expect(report[0].outcome).toBe('published')
      expect(report.at(-1).outcome).toBe('published')
      for (const { outcome, code, reason } of report.slice(1, -1)) {
        expect([outcome, typeof code, typeof reason]).toEqual(['refused', 'string', 'string'])
      }
    })

    it('is never answered with a fault of ours, whatever it is', async () => {
      const { api, platform } = await open()
      const paths = [
        '/api/v1/posts',
        '/api/v1/subscribers',
        '/api/v1/keys',
        '/api/v1/tick',
        '/api/v1/digests/preview',
        '/api/v1/feeds/rebuild',
        '/subscribe',
      ]
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...paths),
          fc.constantFrom(
            'application/json',
            'text/markdown',
            'text/html',
            'application/x-www-form-urlencoded',
          ),
          fc.oneof(
            fc.json(),
            fc.string({ unit: 'binary' }),
            fc.string().map((text) => `---\n${text}\n---\n`),
          ),
          async (path, type, body) => {
            const response = await api('POST', path, body, { 'content-type': type })
            expect(response.status).toBeLessThan(500)
            await response.text()
          },
        ),
        { numRuns: requests },
      )
      expect(platform.logged.filter((line) => line.includes('request.failed'))).toEqual([])
    })
  })
}
