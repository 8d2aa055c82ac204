import type { Child } from 'hono/jsx'
import { everything, feedDocuments, feedFormats, urlPaths } from '../../functions/keys.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { favicon, stylesheet } from '../assets/stylesheet.ts'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'
import type { Messages } from '../locales/messages.ts'

/** What every page is given. */
export interface PageContext {
  settings: Settings
  /** One of `locales`; the nearest is taken for others. */
  locale: string
}

interface LayoutProps extends PageContext {
  /** Before the site's title in the tab; absent on the front page. */
  title?: string
  description?: string
  /** Absolute, or a path on this site. */
  canonical?: string
  image?: string
  /** The path of the current item of the navigation. */
  current?: string
  /** `front` has the large masthead; `narrow` is one column. */
  shape?: 'front' | 'wide' | 'narrow'
  /** RFC 3339, at the side of the masthead. */
  date?: string
  /** The category whose feeds a browser should find, beside those of everything. */
  feed?: { slug: string; title: string }
  /** Pages that are for one person or one moment. */
  isPrivate?: boolean
  /** Near the page's beginning, for `hasLook`. */
  look?: string
  children?: Child
}

/**
 * A complete page. Server-rendered and finished: no script, one stylesheet, nothing from elsewhere.
 */
export function renderPage(props: LayoutProps): string {
  return `<!doctype html>\n${(<PageLayout {...props} />).toString()}\n`
}

/** Whether a stored page was made with this look: what was not is made again when it is asked for. */
export function hasLook(page: Uint8Array, look: string): boolean {
  const head = new TextDecoder().decode(page.subarray(0, 300))
  return head.includes(`<meta name="broadsheet-look" content="${look}"`)
}

function PageLayout(props: LayoutProps) {
  const { settings, locale, title, shape = 'narrow' } = props
  const { site } = settings
  const m = messagesFor(locale)
  const description = props.description ?? site.description
  const canonical = props.canonical && absolute(props.canonical, site.baseUrl)
  return (
    <html lang={m.locale}>
      <head>
        <meta charset="utf-8" />
        {props.look && <meta name="broadsheet-look" content={props.look} />}
        <title>{title ? `${title} – ${site.title}` : site.title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {props.isPrivate ? (
          <meta name="robots" content="noindex" />
        ) : (
          <meta name="description" content={description} />
        )}
        {canonical && <link rel="canonical" href={canonical} />}
        <link rel="stylesheet" href={stylesheet(site.accent).path} />
        <link rel="icon" type="image/svg+xml" href={favicon.path} />
        {props.feed && <FeedLinks feed={props.feed.slug} title={props.feed.title} />}
        <FeedLinks feed={everything} title={site.title} />
        {!props.isPrivate && (
          <>
            <meta property="og:title" content={title ?? site.title} />
            <meta property="og:description" content={description} />
            <meta property="og:site_name" content={site.title} />
            {canonical && <meta property="og:url" content={canonical} />}
            {props.image && <meta property="og:image" content={props.image} />}
          </>
        )}
      </head>
      <body>
        <a class="skip" href="#main">
          {m.navigation.skip}
        </a>
        <div class={shape === 'narrow' ? 'page narrow' : 'page'}>
          <Masthead {...props} m={m} />
          <Navigation m={m} current={props.current} />
          <main id="main" class="main">
            {props.children}
          </main>
          <footer class="footer">
            <p>{m.navigation.colophon}</p>
            {settings.mail.postalAddress && (
              <p>{settings.mail.postalAddress.replace(/\s*\n\s*/g, ', ')}</p>
            )}
          </footer>
        </div>
      </body>
    </html>
  )
}

function Masthead({ settings, m, shape, date }: LayoutProps & { m: Messages }) {
  const { site } = settings
  const language = languageOf(site.language, m.locale)
  const name = (
    <a href={urlPaths.home} lang={language}>
      {site.title}
    </a>
  )
  if (shape !== 'front') {
    return (
      <header class="masthead brief">
        <p class="name">{name}</p>
      </header>
    )
  }
  const dates = dateLocale(m.locale, settings)
  return (
    <header class="masthead">
      <h1 class="name">{name}</h1>
      {site.description && (
        <p class="tagline" lang={language}>
          {site.description}
        </p>
      )}
      {date && (
        <p class="dateline small">
          <time datetime={date}>{formatDate(dates, date, site.timeZone, 'weekday')}</time>
        </p>
      )}
    </header>
  )
}

function Navigation({ m, current }: { m: Messages; current?: string | undefined }) {
  const items = [
    [urlPaths.home, m.navigation.latest],
    [urlPaths.feeds, m.navigation.feeds],
    [urlPaths.archive, m.navigation.archive],
    [urlPaths.subscribe, m.navigation.subscribe],
  ] as const
  return (
    <nav class="nav" aria-label={m.navigation.label}>
      <ul class="plain">
        {items.map(([path, text]) => (
          <li>
            <a href={path} {...(path === current ? { 'aria-current': 'page' } : {})}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function FeedLinks({ feed, title }: { feed: string; title: string }) {
  return (
    <>
      {feedDocuments.map((document) => (
        <link
          rel="alternate"
          type={feedFormats[document].mediaType}
          title={`${title} (${feedFormats[document].name})`}
          href={urlPaths.feed(feed, document)}
        />
      ))}
    </>
  )
}

/** The language to mark a text with; absent when the page is in it already. */
export function languageOf(language: string | undefined, pageLocale: string): string | undefined {
  return language && language.toLowerCase() !== pageLocale.toLowerCase() ? language : undefined
}

function absolute(address: string, baseUrl: string): string {
  return address.startsWith('/') ? `${baseUrl}${address}` : address
}
