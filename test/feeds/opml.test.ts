import { parseOpml } from 'feedsmith'
import { describe, expect, it } from 'vitest'
import { renderOpml } from '../../functions/feeds/opml.ts'
import { findXmlFault } from '../../functions/feeds/well-formed.ts'
import { someSettings } from './entries.ts'

describe('renderOpml', () => {
  it('lists everything first, then each category', () => {
    const opml = renderOpml(
      [
        { slug: 'town', title: 'Town hall', description: 'Of the council.', posts: 3 },
        { slug: '泰州日报', title: '泰州日报新闻', posts: 1 },
      ],
      someSettings(),
    )
    expect(opml).toBe(`<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0">
    <head>
        <title>The Gazette</title>
    </head>
    <body>
        <outline type="rss" text="The Gazette" title="The Gazette" description="News of the town." xmlUrl="https://news.example/feeds/rss.xml" htmlUrl="https://news.example/" language="en" version="RSS2"/>
        <outline type="rss" text="Town hall" title="Town hall" description="Of the council." xmlUrl="https://news.example/feeds/town/rss.xml" htmlUrl="https://news.example/categories/town/" language="en" version="RSS2"/>
        <outline type="rss" text="泰州日报新闻" title="泰州日报新闻" xmlUrl="https://news.example/feeds/%E6%B3%B0%E5%B7%9E%E6%97%A5%E6%8A%A5/rss.xml" htmlUrl="https://news.example/categories/%E6%B3%B0%E5%B7%9E%E6%97%A5%E6%8A%A5/" language="en" version="RSS2"/>
    </body>
</opml>`)
  })

  it('stays well-formed and literal with hostile names', () => {
    const name = '<b>"A" & \'B\'</b> &amp; ]]> \u0000\ud83d'
    const settings = someSettings()
    const site = { ...settings.site, title: name, description: name, language: '"><x' }
    const opml = renderOpml([{ slug: 'x', title: name, description: name, posts: 0 }], {
      ...settings,
      site,
    })
    expect(findXmlFault(opml)).toBeUndefined()
    const literal = '<b>"A" & \'B\'</b> &amp; ]]>'
    expect(parseOpml(opml)).toMatchObject({
      head: { title: literal },
      body: { outlines: [{ text: literal }, { text: literal, description: literal }] },
    })
  })
})
