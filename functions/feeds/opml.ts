import { js2xml } from 'xml-js'
import { everything, urlPaths } from '../keys.ts'
import type { Category } from '../posts/categories.ts'
import type { Settings } from '../settings/settings.ts'
import { startAdditions, withAttributes } from './additions.ts'
import { feedAddress } from './channel.ts'
import { escapeText } from './escape.ts'
import { clean, languageTag, line } from './guard.ts'

/**
 * All feeds as OPML 2.0, for readers that import or follow such a list: everything first, then a
 * category each in the order given. The same categories give the same text.
 */
export function renderOpml(categories: readonly Category[], settings: Settings): string {
  const { site } = settings
  const title = line(site.title) || new URL(site.baseUrl).host
  const language = languageTag(site.language)
  const outline = (feed: string, name: string, path: string, description: string | undefined) =>
    withAttributes({
      type: 'rss',
      text: name,
      title: name,
      ...(line(description ?? '') ? { description: line(description ?? '') } : {}),
      xmlUrl: feedAddress(feed, 'rss.xml', settings),
      htmlUrl: site.baseUrl + path,
      ...(language ? { language } : {}),
      version: 'RSS2',
    })
  const { mark, fill } = startAdditions()
  const xml = js2xml(
    {
      _declaration: { _attributes: { version: '1.0', encoding: 'utf-8' } },
      opml: {
        _attributes: { version: '2.0' },
        head: { title: { _text: mark(escapeText(title)) } },
        body: {
          outline: [
            outline(everything, title, urlPaths.home, site.description),
            ...categories.map(({ slug, title: name, description }) =>
              outline(slug, line(name) || slug, urlPaths.category(clean(slug)), description),
            ),
          ],
        },
      },
    },
    { compact: true, spaces: 4 },
  )
  return fill(xml)
}
