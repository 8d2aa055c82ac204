import type { Settings } from '../../functions/settings/settings.ts'
import type { Cadence } from '../../functions/subscribers/subscriber.ts'
import { issueName } from '../components/issue-name.ts'
import { languageOf } from '../layouts/page.tsx'
import { formatDate, formatPeriod } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'
import { chosenTitles } from './chosen-titles.ts'
import { digestText } from './digest-text.ts'
import { cutToBytes, cutToWidth } from './display-width.ts'
import {
  type Email,
  type EmailPost,
  encodedBytes,
  type MailLinks,
  maxHtmlBytes,
  oneLine,
  subjectLine,
} from './email.ts'
import { EmailLayout, Footer, Row, serifFor, styles, Table } from './email-layout.tsx'

export interface DigestEmailInput {
  settings: Settings
  locale: string
  /** In the reader's order; a post is in one group only. Without `category`: posts that have none. */
  groups: readonly { category?: { slug: string; title: string }; posts: readonly EmailPost[] }[]
  /** Posts of the period that are not among `groups`. */
  more: number
  /** The same digest on the web. */
  editionUrl?: string
  /** RFC 3339: the start of the period. */
  from?: string
  until: string
  cadence: Cadence
  /** IANA name, for dates. */
  timeZone: string
  /** Of the chosen categories those that brought its posts; empty where everything was chosen. */
  categoryTitles: readonly string[]
  links: MailLinks
}

export type DigestEmail = Email & {
  /** How many posts are in it; the others stand behind "and N more". */
  shown: number
}

/** From so many posts on a mail begins with its contents. */
const contentsFrom = 5

/**
 * A digest. What would make the HTML longer than `maxHtmlBytes` is left for the web page; the head
 * and the footer never are.
 */
export function digestEmail(given: DigestEmailInput): DigestEmail {
  const input = bounded(given)
  const total = input.groups.reduce((sum, { posts }) => sum + posts.length, 0)
  let shown = total
  let html = digestHtml(input)
  if (encodedBytes(html) > maxHtmlBytes) {
    // The largest number that fits, by halving: a digest is rendered five times at most.
    let fits = 0
    let tooMany = total
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2)
      if (encodedBytes(digestHtml(firstPosts(input, middle))) > maxHtmlBytes) tooMany = middle
      else fits = middle
    }
    shown = fits
    html = digestHtml(firstPosts(input, fits))
  }
  const part = shown === total ? input : firstPosts(input, shown)
  return { subject: subjectOf(input, total + input.more), html, text: digestText(part), shown }
}

function subjectOf({ groups, settings, locale }: DigestEmailInput, count: number): string {
  const m = messagesFor(locale)
  const title = groups.find(({ posts }) => posts.length > 0)?.posts[0]?.title
  if (title === undefined) return subjectLine(m.mail.posts(count), settings.site.title, (t) => t)
  return subjectLine(title, settings.site.title, (t) => issueName(m, t, count))
}

function digestHtml(input: DigestEmailInput): string {
  return `<!doctype html>\n${(<DigestMail {...input} />).toString()}\n`
}

function DigestMail(input: DigestEmailInput) {
  const { settings, locale, groups, more, editionUrl } = input
  const m = messagesFor(locale)
  const posts = groups.flatMap((group) => group.posts)
  const count = posts.length + more
  const period = formatPeriod(dateLocale(locale, settings), input.from, input.until, input.timeZone)
  return (
    <EmailLayout
      settings={settings}
      locale={locale}
      title={subjectOf(input, count)}
      preheader={preheaderOf(posts, input)}
      subtitle={`${period} · ${m.mail.posts(count)}`}
      {...(editionUrl ? { webUrl: editionUrl } : {})}
      footer={
        <Footer
          settings={settings}
          locale={locale}
          why={m.mail.why(
            settings.site.title,
            chosenTitles(m, input.categoryTitles),
            input.cadence,
          )}
          links={input.links}
        />
      }
    >
      {posts.length >= contentsFrom && groups.length > 1 && <Contents {...input} />}
      {groups.map(({ category, posts }, at) => (
        <>
          {(category || groups.length > 1) && (
            <Row
              padding={at > 0 ? '10px 0 0' : '20px 0 0'}
              {...(at > 0 ? { line: 'ink' as const } : {})}
            >
              <p class="ink" id={`c${at + 1}`} style={`margin:0;${styles.label}`}>
                {category ? category.title : m.mail.uncategorised}
              </p>
            </Row>
          )}
          {posts.map((post, i) => (
            <Card post={post} input={input} isFirst={i === 0} isLast={i === posts.length - 1} />
          ))}
        </>
      ))}
      {more > 0 && editionUrl && (
        <Row padding="16px 0 20px" line="ink">
          <p class="ink" style={styles.text}>
            <a href={editionUrl} style={`${styles.link};text-decoration:underline`}>
              {m.mail.andMore(more)}
            </a>
          </p>
        </Row>
      )}
    </EmailLayout>
  )
}

function Contents({ groups, locale }: DigestEmailInput) {
  const m = messagesFor(locale)
  return (
    <Row>
      <p class="quiet" style={`margin:0;${styles.small}`}>
        {m.mail.label(m.mail.inThisIssue)}{' '}
        {groups.slice(0, 40).map(({ category, posts }, at) => (
          <>
            {at > 0 && ' · '}
            <a href={`#c${at + 1}`} style={styles.quietLink}>
              {category ? category.title : m.mail.uncategorised}
            </a>
            {` ${posts.length}`}
          </>
        ))}
      </p>
    </Row>
  )
}

function Card(props: {
  post: EmailPost
  input: DigestEmailInput
  isFirst: boolean
  isLast: boolean
}) {
  const { post, input, isFirst, isLast } = props
  const { settings, locale } = input
  const m = messagesFor(locale)
  const language = post.language ?? settings.site.language
  const lang = languageOf(language, m.locale)
  // Without a language of its own the text keeps the font of the mail around it.
  const font = lang ? `;font-family:${serifFor(language)}` : ''
  const small = [
    formatDate(dateLocale(locale, settings), post.date, input.timeZone),
    ...(post.authors.length > 0 ? [post.authors.slice(0, 3).join(', ')] : []),
    ...(post.minutes && post.minutes > 1 ? [m.post.minutes(post.minutes)] : []),
  ]
  const text = (
    <>
      <h2 class="ink" lang={lang} style={`${styles.headline}${font}`}>
        <a href={post.url} style={styles.link}>
          {post.title}
        </a>
      </h2>
      <p class="quiet" style={`margin:5px 0 0;${styles.small}`}>
        {small.join(' · ')}
      </p>
      {post.summary && (
        <p class="ink" lang={lang} style={`${styles.text};margin-top:7px${font}`}>
          {post.summary}
        </p>
      )}
    </>
  )
  return (
    <Row
      padding={isLast ? '14px 0 24px' : '14px 0 18px'}
      {...(isFirst ? {} : { line: 'hair' as const })}
    >
      {post.image ? (
        <Table style="table-layout:fixed">
          <tr>
            <td valign="top">{text}</td>
            <td class="thumb" width="136" align="right" valign="top" style="padding:4px 0 0 24px">
              <img
                src={post.image.url}
                alt={post.image.alt ?? ''}
                width="136"
                {...heightFor(post, 136)}
                style="display:block;border:0;width:136px;max-width:136px"
              />
            </td>
          </tr>
        </Table>
      ) : (
        text
      )}
    </Row>
  )
}

function heightFor({ image }: EmailPost, width: number): { height?: string } {
  if (!image?.width || !image.height) return {}
  return { height: String(Math.max(1, Math.round((image.height / image.width) * width))) }
}

/** The titles after the first, which the subject has already. */
function preheaderOf(posts: readonly EmailPost[], { settings }: DigestEmailInput): string {
  const titles = posts.slice(1, 4).map(({ title }) => oneLine(title))
  const text =
    titles.length > 0 ? titles.join(' · ') : posts[0]?.summary || settings.site.description
  return cutToWidth(oneLine(text), 130)
}

function firstPosts(input: DigestEmailInput, limit: number): DigestEmailInput {
  let left = limit
  let dropped = 0
  const groups = input.groups.flatMap((group) => {
    const posts = group.posts.slice(0, left)
    left -= posts.length
    dropped += group.posts.length - posts.length
    return posts.length > 0 ? [{ ...group, posts }] : []
  })
  return { ...input, groups, more: input.more + dropped }
}

/** What comes from outside, cut to what a mail can carry. */
function bounded(input: DigestEmailInput): DigestEmailInput {
  const groups = input.groups
    .filter(({ posts }) => posts.length > 0)
    .map(({ category, posts }) => ({
      ...(category ? { category: { ...category, title: cutToBytes(category.title, 200) } } : {}),
      posts: posts.map((post) => ({
        ...post,
        title: cutToBytes(oneLine(post.title), 1_000),
        summary: cutToBytes(post.summary, 2_500),
        authors: post.authors.slice(0, 3).map((author) => cutToBytes(author, 100)),
      })),
    }))
  return { ...input, groups }
}
