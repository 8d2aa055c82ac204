import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { renderDocuments } from '../../functions/feeds/documents.ts'
import type { FeedSnapshot } from '../../functions/feeds/snapshot.ts'
import type { Post } from '../../functions/posts/post.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { anEntry, aSnapshot, someSettings } from './entries.ts'
import { expectEqualFeeds, readRendered } from './read-feeds.ts'

const fixtures = new URL('../fixtures/feeds/', import.meta.url)

interface Input {
  entries: { post: Partial<Post>; html: string }[]
  snapshot?: Partial<FeedSnapshot>
  titles?: Record<string, string>
  feeds?: Partial<Settings['feeds']>
}

describe('renderDocuments', () => {
  it.each(readdirSync(fixtures))('writes %s as in its fixture', async (name) => {
    const folder = new URL(`${name}/`, fixtures)
    const input: Input = JSON.parse(readFileSync(new URL('input.json', folder), 'utf8'))
    const entries = input.entries.map(({ post, html }) => anEntry(post, html))
    const titles = input.titles ? { categoryTitles: new Map(Object.entries(input.titles)) } : {}
    const rendering = renderDocuments(
      aSnapshot(entries, { ...input.snapshot, ...titles }),
      someSettings(input.feeds),
    )
    expect(rendering.faults).toEqual([])
    for (const { document, body } of rendering.documents) {
      const file = new URL(document, folder).pathname
      await expect(`${new TextDecoder().decode(body)}\n`).toMatchFileSnapshot(file)
    }
    expectEqualFeeds(readRendered(rendering))
  })

  it('gives the same bytes each time', () => {
    const snapshot = aSnapshot([anEntry({ tags: ['x'] }), anEntry({ id: 'two' })])
    expect(renderDocuments(snapshot, someSettings())).toEqual(
      renderDocuments(structuredClone(snapshot), someSettings()),
    )
  })

  it('keeps one entry of two with the same id', () => {
    const rendering = renderDocuments(
      aSnapshot([anEntry({ title: 'new' }), anEntry({ title: 'old' })]),
      someSettings(),
    )
    expect(rendering.refused).toMatchObject([{ code: 'entry.double' }])
    expect(readRendered(rendering)['rss.xml'].entries).toMatchObject([{ title: 'new' }])
  })

  it('names no withdrawn post without any: the namespace would be reported as unknown', () => {
    const [, atom] = renderDocuments(aSnapshot([anEntry()]), someSettings()).documents
    expect(new TextDecoder().decode(atom?.body)).not.toContain('tombstones')
  })
})
