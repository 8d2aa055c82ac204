import { describe, expect, it } from 'vitest'
import type { Settings } from '../../functions/settings/settings.ts'
import { get, open, platform } from './feed-server.ts'

describe('an old address', () => {
  const settings: { categories: Settings['categories']; feeds: Partial<Settings['feeds']> } = {
    categories: { news: { title: 'News', renamedFrom: ['alt', '新闻'] }, sport: {} },
    feeds: {
      redirects: {
        '/blog/feed.xml': '*/rss.xml',
        '/rss.xml': 'sport/rss.xml',
        '/tags/公告.xml': 'news/atom.xml',
        '/tags/e%CC%81.json': 'sport',
        '/old/atom': '*',
        '/alt/rss': 'alt/rss.xml',
        '/feeds/sport/rss.xml': 'news/rss.xml',
      },
    },
  }

  it.each([
    ['/feed.xml', '/feeds/atom.xml'],
    ['/feed/', '/feeds/rss.xml'],
    ['/feed', '/feeds/rss.xml'],
    ['/atom.xml', '/feeds/atom.xml'],
    ['/index.xml', '/feeds/rss.xml'],
    ['/feed.json', '/feeds/feed.json'],
    ['/feed.xml?format=x', '/feeds/atom.xml'],
    ['/rss.xml', '/feeds/sport/rss.xml'],
    ['/blog/feed.xml', '/feeds/rss.xml'],
    ['/tags/公告.xml', '/feeds/news/atom.xml'],
    ['/tags/%E5%85%AC%E5%91%8A.xml', '/feeds/news/atom.xml'],
    ['/tags/é.json', '/feeds/sport/feed.json'],
    ['/old/atom', '/feeds/atom.xml'],
    ['/alt/rss', '/feeds/news/rss.xml'],
    ['/feeds/alt/rss.xml', '/feeds/news/rss.xml'],
    ['/feeds/%E6%96%B0%E9%97%BB/feed.json', '/feeds/news/feed.json'],
  ])('%s leads to %s for good', async (from, to) => {
    await platform.close()
    await open({ settings })
    const response = await get(from)
    expect(response.status).toBe(301)
    expect(response.headers.get('location')).toBe(to)
  })

  it('never takes the place of a feed that exists', async () => {
    await platform.close()
    await open({ settings })
    expect((await get('/feeds/sport/rss.xml')).status).toBe(200)
  })

  it.each(['/', '/feedx', '/nothing', '/%', '/%ff.xml', '/constructor', '/__proto__'])(
    'is none: %s',
    async (path) => {
      expect((await get(path)).status).toBe(404)
    },
  )
})
