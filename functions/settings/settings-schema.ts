import * as v from 'valibot'
import { isMonthDay, isWeekday } from '../subscribers/days.ts'
import { cadences } from '../subscribers/subscriber.ts'
import {
  addressRange,
  count,
  day,
  duration,
  fraction,
  language,
  line,
  linePattern,
  mailbox,
  mailMode,
  oldPath,
  origin,
  slug,
  text,
  timeZone,
  webAddress,
} from './settings-values.ts'

// The description stands before any transformation: what comes after one is no part of the input.
function help<S extends v.GenericSchema>(schema: S, description: string): S {
  const [first, ...rest] = 'pipe' in schema ? (schema.pipe as [S]) : [schema]
  return v.pipe(first, v.description(description), ...(rest as [])) as unknown as S
}

const section = <E extends v.ObjectEntries>(entries: E, description: string) =>
  v.nullish(help(v.strictObject(entries, 'must be a group of keys'), description))

const key = <S extends v.GenericSchema>(schema: S, description: string) =>
  v.optional(help(schema, description))

const category = v.strictObject(
  {
    title: key(line(120), 'The name that people see.'),
    description: key(text(500), 'A sentence or two for the page and the feeds.'),
    mail: key(
      mailMode,
      'How its posts reach readers of mail: in digests, each whole as a letter, or not at all.',
    ),
    renamedFrom: key(
      v.pipe(v.array(slug, 'must be a list of slugs'), v.maxLength(20, 'must have at most 20')),
      'All slugs that it had before: their feeds, pages and readers are its own.',
    ),
  },
  'must be a group of keys',
)

/**
 * `broadsheet.yaml` as it is written: the one source of what is checked, of
 * `broadsheet.schema.json` and of docs/configuration.md. Every key is optional.
 */
export const settingsSchema = v.strictObject(
  {
    site: section(
      {
        title: key(line(120), 'The name of the site. Default: `Broadsheet`.'),
        description: key(text(500), 'A sentence or two, for pages and feeds.'),
        baseUrl: key(
          origin,
          'Where people reach the site. Default: the address that `start` listens on.',
        ),
        language: key(
          language,
          'The language of posts that name none, and of pages and mails. Default: `en`.',
        ),
        timeZone: key(timeZone, 'The zone of dates without one. Default: `UTC`.'),
        author: key(line(120), 'The author of posts that name none.'),
        accent: key(
          v.pipe(
            v.string('must be a text'),
            v.regex(/^#[\da-f]{6}$/i, 'must be a colour such as `"#b3261e"`, in quotes'),
          ),
          'The colour of links and buttons, `"#rrggbb"`.',
        ),
      },
      'What the publication is called and where it lives.',
    ),
    categories: v.nullish(
      help(
        v.pipe(
          v.record(slug, v.nullable(category), 'must be a group of categories by slug'),
          v.check((value) => Object.keys(value).length <= 1000, 'must have at most 1,000'),
        ),
        'Names and rules of categories, by slug. Others appear by themselves with their first post.',
      ),
    ),
    feeds: section(
      {
        entries: key(count(1, 200), 'A feed has at least so many entries. Default: `20`.'),
        content: key(
          v.picklist(['full', 'summary'], 'must be `full` or `summary`'),
          'Whole posts, or their summaries only. Default: `full`.',
        ),
        hubs: key(
          v.pipe(
            v.array(webAddress('the address of a hub'), 'must be a list of addresses'),
            v.maxLength(10, 'must have at most 10'),
          ),
          'WebSub hubs, named in the feeds. This version tells them nothing of new posts.',
        ),
        redirects: key(
          v.pipe(
            v.record(
              oldPath,
              v.pipe(
                line(200),
                v.regex(
                  /^(?:\*|[^\s/*]+)(?:\/(?:rss\.xml|atom\.xml|feed\.json))?$/u,
                  'must name a feed: a category or `*`, with `/rss.xml`, `/atom.xml` or `/feed.json`',
                ),
                v.transform((value) => (value.includes('/') ? value : `${value}/rss.xml`)),
              ),
              'must be a group of old paths and feeds',
            ),
            v.check((value) => Object.keys(value).length <= 1000, 'must have at most 1,000'),
          ),
          'Old addresses of feeds: `/blog/feed.xml: "*/rss.xml"`.',
        ),
      },
      'What the RSS, Atom and JSON feeds hold.',
    ),
    mail: section(
      {
        from: key(mailbox, 'Who mails come from, as in `The Gazette <news@example.com>`.'),
        replyTo: key(mailbox, 'Where answers go, if not to `from`.'),
        postalAddress: key(
          text(500),
          'The publisher’s postal address. Many countries require it in every mail.',
        ),
        unsubscribeMailto: key(
          v.pipe(
            line(320),
            v.transform((value) => value.replace(/^mailto:/i, '')),
            v.regex(/^[^\s<>@,;?]{1,64}@[^\s<>@,;?]{1,255}$/u, 'must be one address'),
          ),
          'An address that takes requests to unsubscribe, beside the link.',
        ),
        limits: section(
          {
            perSecond: key(count(1, 10_000), 'At most so many mails a second.'),
            perDay: key(count(1, 100_000_000), 'At most so many mails in 24 hours.'),
          },
          'How fast mails may leave.',
        ),
        warmUp: section(
          {
            from: help(
              day,
              'The first day, `"YYYY-MM-DD"` (UTC). Before it the first day’s number counts.',
            ),
            perDay: help(count(1, 100_000_000), 'At most so many mails on the first day.'),
            growth: v.optional(
              help(
                fraction(1, 5),
                'Each later day times the one before: `1.5` is half as many again. Default: `1.5`.',
              ),
              1.5,
            ),
          },
          'A ramp for a new sender, whom mailbox providers do not know yet.',
        ),
        guard: section(
          {
            bounces: key(
              fraction(0.1, 100),
              'A run pauses itself when so many per cent of its mails bounced, from 200 mails on. Default: `2.5`.',
            ),
            complaints: key(
              fraction(0.01, 100),
              'A run pauses itself when so many per cent of its mails were reported as spam, from 3 reports on. Default: `0.08`.',
            ),
          },
          'When a run pauses itself.',
        ),
        unclear: key(
          v.picklist(['hold', 'resend'], 'must be `hold` or `resend`'),
          'A mail of which nobody can say whether it went out: keep it as unknown, or send it again and risk a double. Default: `hold`.',
        ),
        patience: key(
          duration('h', 1, 240),
          'Hours for which a refused mail is tried again. Default: `24`.',
        ),
        approval: key(
          duration('h', 1, 720),
          'Hours for which a letter waits until somebody approves it: `24`, or such as `3d`. Default: letters need no approval.',
        ),
        unapproved: key(
          v.picklist(['skip', 'send'], 'must be `skip` or `send`'),
          'What becomes of a letter that nobody approved in time: it is not mailed, or it is. Default: `skip`.',
        ),
      },
      'Who the mails come from and how they leave.',
    ),
    digests: section(
      {
        cadence: key(
          v.picklist(cadences, 'must be `instant`, `daily`, `weekly` or `monthly`'),
          'How often readers who choose nothing hear from us. Default: `weekly`, or the first of `cadences`.',
        ),
        day: key(
          v.pipe(
            v.union([v.string(), v.number()], 'must be a day'),
            v.transform(String),
            v.check(
              (day) => isWeekday(day) || isMonthDay(day),
              'must be `mon` … `sun` for a week; for a month `1` … `31`, or `first-` or `last-` with `mon` … `sun`',
            ),
          ),
          'Their day: `mon` … `sun` for a week; for a month `1` … `31`, or `first-` or `last-` with `mon` … `sun`. Default: `mon`, or `1`.',
        ),
        at: key(
          v.pipe(
            v.string('must be a time such as `"08:00"`, in quotes'),
            v.regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as `"08:00"`'),
          ),
          'Their time of day. Default: `"08:00"`.',
        ),
        timeZone: key(timeZone, 'Their time zone. Default: the site’s.'),
        cadences: key(
          v.pipe(
            v.array(
              v.picklist(cadences, 'must be `instant`, `daily`, `weekly` or `monthly`'),
              'must be a list',
            ),
            v.minLength(1, 'must name at least one'),
            v.maxLength(4, 'must have at most 4'),
          ),
          'Which cadences readers may choose. Default: all four.',
        ),
        maxPosts: key(
          count(1, 100),
          'Posts in one mail; the rest stands on the digest’s page. Default: `20`.',
        ),
        maxAgeDays: key(
          duration('d', 1, 36_500),
          'A post that comes in more days than this after its date is not mailed. Default: `30`.',
        ),
      },
      'What readers get who choose nothing, and what they may choose.',
    ),
    server: section(
      {
        trustedProxies: key(
          v.pipe(
            v.array(addressRange, 'must be a list of addresses'),
            v.maxLength(100, 'must have at most 100'),
          ),
          'Proxies whose `X-Forwarded-For` is believed.',
        ),
      },
      'How the server is reached.',
    ),
    content: section(
      {
        hiddenLines: key(
          v.pipe(
            v.array(linePattern, 'must be a list of regular expressions'),
            v.maxLength(50, 'must have at most 50'),
          ),
          'Regular expressions: a paragraph of at most 300 characters whose text matches one whole is left out of feeds and mails. The default hides lines of links back (`Back to the front page`).',
        ),
        identity: key(
          v.picklist(['path', 'name'], 'must be `path` or `name`'),
          'What makes a file the same post: its path, or only its name, for sites that move files between folders. Default: `path`.',
        ),
        timeZone: key(timeZone, 'The zone of posts’ dates that have none. Default: the site’s.'),
      },
      'How post files are read.',
    ),
    sources: v.nullish(
      help(
        v.pipe(
          v.array(
            v.strictObject(
              {
                url: help(webAddress('the address of a feed'), 'The address of the feed.'),
                category: key(line(120), 'The category of its entries.'),
                every: v.optional(
                  help(
                    v.pipe(
                      v.string('must be such as `1h`'),
                      v.regex(/^\d{1,4}\s?(m|h|d)$/, 'must be such as `30m`, `1h` or `1d`'),
                    ),
                    'How often it is looked at. Default: `1h`.',
                  ),
                  '1h',
                ),
              },
              'must be a group of keys',
            ),
            'must be a list of feeds',
          ),
          v.maxLength(100, 'must have at most 100'),
        ),
        'Feeds of other sites whose entries are to become posts here. This version does not fetch them yet.',
      ),
    ),
    keep: section(
      {
        unconfirmedDays: key(
          duration('d', 1, 365),
          'Days after which an address that was never confirmed is forgotten. Default: `7`.',
        ),
        runsDays: key(
          duration('d', 30, 3650),
          'Days for which it is known who got what, and mails stay in the outbox. Default: `400`.',
        ),
        tombstonesDays: key(
          duration('d', 1, 3650),
          'Days for which feeds say that a post was withdrawn. Default: `30`.',
        ),
      },
      'How long things are kept.',
    ),
  },
  'must be a group of keys',
)

export type SettingsFile = v.InferOutput<typeof settingsSchema>
