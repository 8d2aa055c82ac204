import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../functions/platform.ts'

export interface OpenObjectStore {
  objects: ObjectStore
  /** The same data through a second adapter, as another process or function has it. */
  again(): Promise<ObjectStore>
  close(): Promise<void>
}

const text = (value: string) => new TextEncoder().encode(value)
const read = (body: Uint8Array | undefined) => (body ? new TextDecoder().decode(body) : undefined)
const html = { contentType: 'text/html; charset=utf-8' }

/** Keys that every adapter refuses, by what is wrong with them. */
export const refusedKeys: [string, string][] = [
  ['empty', ''],
  ['absolute', '/etc/passwd'],
  ['ends in a slash', 'a/'],
  ['has an empty segment', 'a//b'],
  ['is the folder itself', '.'],
  ['leaves the folder', '..'],
  ['leaves the folder below', '../a'],
  ['leaves the folder in the middle', 'public/../../a'],
  ['leaves the folder at the end', 'public/..'],
  ['has a dot segment', 'a/./b'],
  ['has a backslash', 'a\\b'],
  ['leaves by backslashes', '..\\..\\a'],
  ['has NUL', 'a\u0000b'],
  ['has NUL before a harmless end', '../../etc/passwd\u0000.xml'],
  ['has a line feed', 'a\nb'],
  ['has a carriage return', 'a\r'],
  ['has DEL', 'a\u007fb'],
  ['has a C1 control', 'a\u0085b'],
  ['has half a surrogate pair', 'a\ud800b'],
  ['is decomposed', 'Zu\u0308rich'],
  ['is Hangul in letters', '\u1112\u1161\u11ab'],
  ['is too long', `${'a'.repeat(250)}/${'b'.repeat(250)}/${'c'.repeat(250)}/${'d'.repeat(200)}`],
  ['has a segment of 256 bytes', 'x'.repeat(256)],
  ['has a segment of 258 bytes in 86 characters', '報'.repeat(86)],
]

/** Keys that look odd and are good. */
export const acceptedKeys: string[] = [
  'a',
  'a b/c d.txt',
  'public/posts/泰州日报/index.html',
  'public/posts/привет-мир/index.html',
  'public/feeds/c++/rss.xml',
  'public/feeds/c#/rss.xml',
  'public/posts/100%/index.html',
  'public/posts/%2e%2e/index.html',
  'public/posts/..a/index.html',
  'public/posts/a../index.html',
  'public/posts/.../index.html',
  'public/.well-known/security.txt',
  'quotes/it\'s-"so"',
  'glob/*?[x]{y}',
  'shell/$(x);&|<>`~!',
  'emoji/😀👩‍👩‍👧/x',
  'dash/-rf',
  'null',
  'con/aux.txt',
  'constructor/__proto__',
  `long/${'報'.repeat(85)}`,
]

/** What `ObjectStore` promises. */
export function objectStoreContract(name: string, open: () => Promise<OpenObjectStore>): void {
  async function using(test: (store: OpenObjectStore) => Promise<void>): Promise<void> {
    const store = await open()
    try {
      await test(store)
    } finally {
      await store.close()
    }
  }

  describe(`${name} as an object store`, () => {
    it('gives back what was stored, with its type, cache rule and version', () =>
      using(async ({ objects, again }) => {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
        const put = await objects.put('public/feeds/rss.xml', bytes, {
          contentType: 'application/rss+xml; charset=utf-8',
          cacheControl: 'public, max-age=300',
          version: '12/日本-7',
        })
        expect(put.status).toBe('stored')
        for (const store of [objects, await again()]) {
          const found = await store.get('public/feeds/rss.xml')
          expect(found && new Uint8Array(found.body)).toEqual(bytes)
          expect(found).toMatchObject({
            contentType: 'application/rss+xml; charset=utf-8',
            cacheControl: 'public, max-age=300',
            version: '12/日本-7',
            etag: put.status === 'stored' ? put.etag : '',
          })
          expect(Math.abs((found?.lastModified.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
        }
      }))

    it('keeps a type that its key does not tell, and tells nothing that was not given', () =>
      using(async ({ objects, again }) => {
        await objects.put('posts/1/source', text('<p>Hi</p>'), { contentType: 'text/html' })
        await objects.put('posts/2/source', text('Hi'), { contentType: 'text/markdown' })
        for (const store of [objects, await again()]) {
          expect((await store.get('posts/1/source'))?.contentType).toBe('text/html')
          const second = await store.get('posts/2/source')
          expect(second?.contentType).toBe('text/markdown')
          expect(second).not.toHaveProperty('version')
          expect(second).not.toHaveProperty('cacheControl')
        }
      }))

    it('replaces an object whole, what is told of it included', () =>
      using(async ({ objects }) => {
        const key = 'public/x.html'
        await objects.put(key, text('a long first body'), {
          ...html,
          version: '1',
          cacheControl: 'a',
        })
        await objects.put(key, text('b'), { ...html, version: '2' })
        const found = await objects.get(key)
        expect([read(found?.body), found?.version, found?.cacheControl]).toEqual([
          'b',
          '2',
          undefined,
        ])
        await objects.put(key, text('b'), html)
        expect((await objects.get(key))?.version).toBeUndefined()
      }))

    it('stores an empty object and a large one', () =>
      using(async ({ objects }) => {
        await objects.put('empty.html', new Uint8Array(), html)
        expect((await objects.get('empty.html'))?.body.length).toBe(0)
        const large = new Uint8Array(6 * 1024 * 1024).map((_, i) => i % 251)
        await objects.put('large.bin', large, { contentType: 'application/octet-stream' })
        const found = await objects.get('large.bin')
        expect(found?.body.length).toBe(large.length)
        expect(Buffer.compare(Buffer.from(found?.body ?? []), Buffer.from(large))).toBe(0)
      }))

    it('does not hold on to the caller’s bytes once it has answered', () =>
      using(async ({ objects }) => {
        const body = text('before')
        await objects.put('held.html', body, html)
        body.fill(0)
        expect(read((await objects.get('held.html'))?.body)).toBe('before')
      }))

    it('knows no object that was not stored, and forgets one that was deleted', () =>
      using(async ({ objects }) => {
        expect(await objects.get('public/none.html')).toBeUndefined()
        expect(await objects.get('public')).toBeUndefined()
        await objects.put('public/a/b.html', text('x'), html)
        expect(await objects.get('public/a')).toBeUndefined()
        await objects.delete('public/a/b.html')
        await objects.delete('public/a/b.html')
        await objects.delete('public/never/there.html')
        expect(await objects.get('public/a/b.html')).toBeUndefined()
        expect((await objects.list('public/')).objects).toEqual([])
        await objects.put('public/a/b.html', text('again'), html)
        expect(read((await objects.get('public/a/b.html'))?.body)).toBe('again')
      }))

    it('has an ETag that changes with the bytes', () =>
      using(async ({ objects }) => {
        const etags = new Set<string>()
        for (const body of ['a', 'b', 'a ', '']) {
          const put = await objects.put('e.html', text(body), html)
          if (put.status === 'stored') etags.add(put.etag)
          expect((await objects.get('e.html'))?.etag).toBe([...etags].at(-1))
        }
        expect(etags.size).toBe(4)
        for (const etag of etags) expect(etag).toMatch(/^[^"\s]+$/)
      }))

    it('puts under a condition only when it holds', () =>
      using(async ({ objects }) => {
        const put = (body: string, condition: { ifAbsent?: boolean; ifMatch?: string }) =>
          objects.put('c.html', text(body), { ...html, ...condition })
        expect(await put('0', { ifMatch: 'nothing' })).toEqual({ status: 'conflict' })
        const first = await put('1', { ifAbsent: true })
        expect(first.status).toBe('stored')
        expect(await put('2', { ifAbsent: true })).toEqual({ status: 'conflict' })
        const etag = first.status === 'stored' ? first.etag : ''
        expect((await put('3', { ifMatch: etag })).status).toBe('stored')
        expect(await put('4', { ifMatch: etag })).toEqual({ status: 'conflict' })
        expect(read((await objects.get('c.html'))?.body)).toBe('3')
        await objects.delete('c.html')
        expect(await put('5', { ifMatch: etag })).toEqual({ status: 'conflict' })
        expect((await put('6', { ifAbsent: true })).status).toBe('stored')
      }))

    it('lets one of 32 racers make an object', () =>
      using(async ({ objects, again }) => {
        const other = await again()
        const outcomes = await Promise.all(
          Array.from({ length: 32 }, (_, i) =>
            (i % 2 ? objects : other).put('race.html', text(`${i}`), { ...html, ifAbsent: true }),
          ),
        )
        const winners = outcomes.flatMap(({ status }, i) => (status === 'stored' ? [`${i}`] : []))
        expect(winners).toHaveLength(1)
        expect(read((await objects.get('race.html'))?.body)).toBe(winners[0])
      }))

    it('lets one of 32 racers replace an object', () =>
      using(async ({ objects }) => {
        const first = await objects.put('race.html', text('first'), html)
        const ifMatch = first.status === 'stored' ? first.etag : ''
        const outcomes = await Promise.all(
          Array.from({ length: 32 }, (_, i) =>
            objects.put('race.html', text(`${i}`), { ...html, ifMatch, version: `${i}` }),
          ),
        )
        const winners = outcomes.flatMap(({ status }, i) => (status === 'stored' ? [`${i}`] : []))
        expect(winners).toHaveLength(1)
        const found = await objects.get('race.html')
        expect([read(found?.body), found?.version]).toEqual([winners[0], winners[0]])
      }))

    it('never shows half an object to a reader', () =>
      using(async ({ objects }) => {
        const bodies = [new Uint8Array(300_000).fill(1), new Uint8Array(200_000).fill(2)]
        await objects.put('half.bin', bodies[0] as Uint8Array, html)
        await Promise.all([
          ...Array.from({ length: 20 }, (_, i) =>
            objects.put('half.bin', bodies[i % 2] as Uint8Array, html),
          ),
          ...Array.from({ length: 40 }, async () => {
            const body = (await objects.get('half.bin'))?.body ?? new Uint8Array()
            expect([200_000, 300_000]).toContain(body.length)
            expect(new Set(body).size).toBe(1)
          }),
        ])
      }))

    it('lists keys by a plain prefix, in the order of their bytes', () =>
      using(async ({ objects }) => {
        // ﬁ (U+FB01) comes before 😀 (U+1F600) in bytes, after it in UTF-16.
        const keys = [
          'p/a',
          'p/a-b/x',
          'p/a.b',
          'p/a b/x',
          'p/B',
          'p/é',
          'p/ﬁ',
          'p/日/本',
          'p/😀',
          'p-q/x',
          'q/x',
        ]
        for (const key of keys.toReversed()) await objects.put(key, text(key), html)
        const listed = async (prefix: string) =>
          (await objects.list(prefix)).objects.map(({ key }) => key)
        const sorted = (some: string[]) =>
          some.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(await listed('')).toEqual(sorted(keys))
        expect(await listed('p/')).toEqual(sorted(keys.filter((key) => key.startsWith('p/'))))
        expect(await listed('p')).toEqual(sorted(keys.filter((key) => key.startsWith('p'))))
        expect(await listed('p/a')).toEqual(sorted(keys.filter((key) => key.startsWith('p/a'))))
        expect(await listed('p/日')).toEqual(['p/日/本'])
        expect(await listed('none')).toEqual([])
      }))

    it('says size and ETag of what it lists', () =>
      using(async ({ objects }) => {
        const put = await objects.put('l/a.html', text('12345'), html)
        const [found] = (await objects.list('l/')).objects
        expect(found).toMatchObject({
          key: 'l/a.html',
          size: 5,
          etag: (put as { etag: string }).etag,
        })
        expect(found?.lastModified).toBeInstanceOf(Date)
      }))

    it(
      'pages through more than a thousand keys, each once',
      () =>
        using(async ({ objects }) => {
          const keys = Array.from({ length: 1203 }, (_, i) => `many/${i % 7}/${i}`)
          await Promise.all(keys.map((key) => objects.put(key, text(key), html)))
          for (const limit of [undefined, 100, 5000]) {
            const found: string[] = []
            let pages = 0
            for (let after: string | undefined; ; after = found.at(-1)) {
              const page = await objects.list('many/', {
                ...(after === undefined ? {} : { after }),
                ...(limit === undefined ? {} : { limit }),
              })
              expect(page.objects.length).toBeLessThanOrEqual(Math.min(limit ?? 1000, 1000))
              found.push(...page.objects.map(({ key }) => key))
              pages++
              if (!page.more) break
            }
            expect(found).toEqual(keys.toSorted())
            expect(pages).toBe(limit === 100 ? 13 : 2)
          }
          const exact = await objects.list('many/3/', { limit: 172 })
          expect([exact.objects.length, exact.more]).toEqual([172, false])
        }),
      60_000,
    )

    it.each(refusedKeys)('refuses a key that %s', (_, key) =>
      using(async ({ objects }) => {
        await expect(objects.put(key, text('x'), html)).rejects.toThrow(Error)
        await expect(objects.get(key)).rejects.toThrow(Error)
        await expect(objects.delete(key)).rejects.toThrow(Error)
        expect((await objects.list('')).objects).toEqual([])
      }),
    )

    it('takes keys of any script and with odd characters, and keeps them apart', () =>
      using(async ({ objects }) => {
        for (const key of acceptedKeys) await objects.put(key, text(key), html)
        for (const key of acceptedKeys) expect(read((await objects.get(key))?.body)).toBe(key)
        const { objects: listed } = await objects.list('')
        expect(listed.map(({ key }) => key).toSorted()).toEqual(acceptedKeys.toSorted())
      }))
  })
}
