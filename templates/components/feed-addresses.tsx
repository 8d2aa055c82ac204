import { feedDocuments, feedFormats, urlPaths } from '../../functions/keys.ts'

/** A feed's addresses in full; one click selects one whole, to be copied. */
export function FeedAddresses({ feed, baseUrl }: { feed: string; baseUrl: string }) {
  return (
    <dl class="feeds">
      {feedDocuments.map((document) => (
        <div>
          <dt>{feedFormats[document].name}</dt>
          <dd>
            <code class="address">{`${baseUrl}${urlPaths.feed(feed, document)}`}</code>
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The formats as links in a line. `title` tells the same names of many feeds apart. */
export function FeedLinks(props: { feed: string; title: string; note?: string }) {
  const { feed, title, note } = props
  return (
    <p class="formats small">
      {note && <span>{note}</span>}
      {feedDocuments.map((document) => (
        <a
          href={urlPaths.feed(feed, document)}
          aria-label={`${title}: ${feedFormats[document].name}`}
        >
          {feedFormats[document].name}
        </a>
      ))}
    </p>
  )
}
