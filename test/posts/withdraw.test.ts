import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import { findPostBySlug } from '../../functions/posts/addresses.ts'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, titlesIn } from './consistency.ts'
import { markdown, stored } from './sources.ts'

const publish = { way: 'publish' } as const
const source = markdown({ title: 'W', category: 'a', date: '2026-03-01' }, { path: 'w.md' })

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

describe('withdrawPost', () => {
  it('takes a post out everywhere, with a tombstone in its feeds for as long as the setting says', async () => {
    const { post } = stored(await publishPost(platform, source, publish))
    platform.advance(1000)
    const { post: gone, jobIds } = await withdrawPost(platform, post.id)
    expect(gone).toMatchObject({
      state: 'withdrawn',
      withdrawnAt: '2026-03-02T08:00:01Z',
      number: 1,
    })
    expect(jobIds.length).toBe(3)
    expect(await titlesIn(platform, '*')).toEqual([])
    expect((await findPostBySlug(platform, 'w'))?.state).toBe('withdrawn')
    for (const feed of ['*', 'a']) {
      const { records } = await platform.records.query(recordKeys.withdrawn(feed))
      expect(records.map(({ value }) => value)).toEqual([
        { id: post.id, entryId: post.entryId, slug: 'w', withdrawnAt: '2026-03-02T08:00:01Z' },
      ])
    }
    expect(await faultsOf(platform)).toEqual([])
    platform.advance(30 * 86_400_000)
    expect((await platform.records.query(recordKeys.withdrawn('a'))).records).toEqual([])
  })

  it('changes nothing a second time', async () => {
    const { post } = stored(await publishPost(platform, source, publish))
    const first = await withdrawPost(platform, post.id)
    platform.advance(60_000)
    expect(await withdrawPost(platform, post.id)).toEqual({ post: first.post, jobIds: [] })
  })

  it('takes back drafts and scheduled posts too', async () => {
    for (const front of [{ draft: true }, { date: '2026-04-01' }]) {
      const path = `${Object.keys(front)}.md`
      const { post } = stored(
        await publishPost(platform, markdown({ title: 'X', ...front }, { path }), publish),
      )
      await withdrawPost(platform, post.id)
    }
    platform.setNow('2026-04-02T00:00:00Z')
    expect(await publishDuePosts(platform)).toBe(0)
    expect(await titlesIn(platform, '*')).toEqual([])
  })

  it('says so when there is no such post', async () => {
    await expect(withdrawPost(platform, 'nowhere')).rejects.toMatchObject({ status: 404 })
  })
})

describe('a withdrawn post', () => {
  it('comes back by `publish` as it was, with a later `updated`, and is not mailed again', async () => {
    const { post } = stored(await publishPost(platform, source, publish))
    await withdrawPost(platform, post.id)
    platform.advance(60_000)
    const back = stored(await publishPost(platform, source, publish))
    const { id, entryId, slug, number } = post
    expect(back).toMatchObject({
      status: 'updated',
      isNew: false,
      mailed: false,
      feeds: ['*', 'a'],
    })
    expect(back.post).toMatchObject({
      id,
      entryId,
      slug,
      number,
      state: 'visible',
      updated: '2026-03-02T08:01:00Z',
    })
    expect(back.post).not.toHaveProperty('withdrawnAt')
    expect(await titlesIn(platform, 'a')).toEqual(['W'])
    expect((await readLogHead(platform)).last).toBe(1)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('stays withdrawn when its folder is imported again', async () => {
    const { post } = stored(await publishPost(platform, source, publish))
    await withdrawPost(platform, post.id)
    expect(await publishPost(platform, source, { way: 'import' })).toMatchObject({
      status: 'ignored',
      code: 'post.withdrawn',
      reason: expect.stringContaining('2026-03-02'),
    })
    expect(await titlesIn(platform, 'a')).toEqual([])
  })
})
