import { type FeedDocument, urlPaths } from '../../functions/keys.ts'

const formats: readonly [string, FeedDocument][] = [
  ['RSS', 'rss.xml'],
  ['Atom', 'atom.xml'],
  ['JSON Feed', 'feed.json'],
]

/** A feed's three addresses in full; one click selects one whole, to be copied. */
export function FeedAddresses({ feed, baseUrl }: { feed: string; baseUrl: string }) {
  return (
    <dl class="feeds">
      {formats.map(([name, document]) => (
        <div>
          <dt>{name}</dt>
          <dd>
            <code class="address">{`${baseUrl}${urlPaths.feed(feed, document)}`}</code>
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The three formats as links in a line. `title` tells the same names of many feeds apart. */
export function FeedLinks(props: { feed: string; title: string; note?: string }) {
  const { feed, title, note } = props
  return (
    <p class="formats small">
      {note && <span>{note}</span>}
      {formats.map(([name, document]) => (
        <a href={urlPaths.feed(feed, document)} aria-label={`${title}: ${name}`}>
          {name}
        </a>
      ))}
    </p>
  )
}
