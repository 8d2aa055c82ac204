import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { getPost } from '../../functions/posts/post.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, titlesIn } from './consistency.ts'
import { markdown, stored } from './sources.ts'

const publish = { way: 'publish' } as const

let platform: ScratchPlatform

beforeEach(async () => {
  platform = await scratchPlatform({ settings: { categories: { notes: { mail: 'letter' } } } })
})

afterEach(() => platform.close())

describe('publishPost', () => {
  it('lists a scheduled post when its date has come, once, however often it is looked for', async () => {
    const source = markdown(
      { title: 'S', date: '2026-03-05T10:00:00Z', category: 'a' },
      { path: 's.md' },
    )
    const outcome = stored(await publishPost(platform, source, publish))
    expect(outcome).toMatchObject({ status: 'hidden', code: 'post.scheduled', mailed: false })
    expect(await publishDuePosts(platform)).toBe(0)
    expect(await titlesIn(platform, '*')).toEqual([])
    platform.setNow('2026-03-05T10:00:00Z')
    const listed = await Promise.all([publishDuePosts(platform), publishDuePosts(platform)])
    expect(listed[0] + listed[1]).toBe(1)
    expect(await publishDuePosts(platform)).toBe(0)
    expect(await titlesIn(platform, 'a')).toEqual(['S'])
    const post = (await getPost(platform, outcome.post.id))?.value
    expect(post).toMatchObject({
      state: 'visible',
      number: 1,
      mailed: true,
      updated: '2026-03-05T10:00:00Z',
    })
    expect(stored(await publishPost(platform, source, publish)).status).toBe('unchanged')
    expect(await faultsOf(platform)).toEqual([])
  })

  it('forgets the old date of a scheduled post that is dated anew', async () => {
    const at = (date: string) =>
      publishPost(platform, markdown({ title: 'S', date }, { path: 's.md' }), publish)
    await at('2026-03-05T10:00:00Z')
    await at('2026-04-05T10:00:00Z')
    platform.setNow('2026-03-06T10:00:00Z')
    expect(await publishDuePosts(platform)).toBe(0)
    await at('2026-03-01T10:00:00Z')
    expect(await titlesIn(platform, '*')).toEqual(['S'])
    expect(await faultsOf(platform)).toEqual([])
  })

  it('says what becomes of the mail of a post that is put off after it was out', async () => {
    const article = async (fields: Record<string, unknown>) => {
      const bytes = new TextEncoder().encode(
        JSON.stringify({ title: 'P', content: 'P', ...fields }),
      )
      const source = { bytes, contentType: 'application/json' } as const
      return stored(await publishPost(platform, source, publish))
    }
    const later = '2026-03-06T08:00:00Z'
    const putOff = async (fields: Record<string, unknown>) => {
      await article({ ...fields })
      const { status, mailed, reason } = await article({ ...fields, published: later })
      expect({ status, mailed }).toEqual({ status: 'hidden', mailed: false })
      expect(reason).toContain(`comes out on ${later}`)
      return reason
    }
    expect(await putOff({ id: 'card' })).toContain('ask for a mail (`--mail-again`)')
    expect(await putOff({ id: 'quiet', mail: 'none' })).toMatch(/, without a mail\.$/)
    expect(await putOff({ id: 'gone', mail: 'letter' })).toMatch(/, without another mail\.$/)
    const set = { id: 'set', mail: 'letter', mailAt: '2026-03-07T08:00:00Z' }
    expect(await putOff(set)).toMatch(/; its letter goes at 2026-03-07T08:00:00Z\.$/)
  })
})
