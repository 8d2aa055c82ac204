import type { MailMode } from './posts/post.ts'
import type { Cadence } from './subscribers/subscriber.ts'

/** `broadsheet.yaml` and the environment, read and checked once, every default filled in. */
export interface Settings {
  site: {
    title: string
    description: string
    /** Absolute, without a trailing slash. */
    baseUrl: string
    /** BCP 47. */
    language: string
    /** IANA name; dates without a zone are read in it, and it is the readers' default. */
    timeZone: string
    author?: string
    /** The accent of pages and mails, `#rrggbb`. */
    accent?: string
  }
  /** By slug. */
  categories: Record<
    string,
    { title?: string; description?: string; mail?: MailMode; renamedFrom?: string[] }
  >
  feeds: {
    /** A feed has at least so many entries, if there are. */
    entries: number
    content: 'full' | 'summary'
    /** WebSub hubs, announced in the feeds. */
    hubs: string[]
    /** Old path → feed (a category's slug or `*`, with `/rss.xml` and so on). */
    redirects: Record<string, string>
  }
  mail: {
    /** `Name <address>`. */
    from?: string
    replyTo?: string
    postalAddress?: string
    unsubscribeMailto?: string
    limits: { perSecond?: number; perDay?: number }
    /** What happens to a send of which nobody can say whether it went out. */
    unclear: 'hold' | 'resend'
    /** Hours for which a run tries again what was refused for now. */
    patience: number
  }
  digests: {
    cadence: Cadence
    day: string
    at: string
    timeZone: string
    /** Which cadences readers are offered. */
    cadences: Cadence[]
    /** Posts in one mail; the rest stands on its page. */
    maxPosts: number
    /** A post first seen more days than this after its date is not mailed. */
    maxAgeDays: number
  }
  server: {
    /** Addresses or CIDR ranges whose forwarding headers are believed. */
    trustedProxies: string[]
  }
  content: {
    /** Regular expressions: a paragraph whose text matches one whole is dropped. */
    hiddenLines: string[]
    identity: 'path' | 'name'
    timeZone: string
  }
  sources: { url: string; category?: string; every: string }[]
  /** How long things are kept. */
  keep: { unconfirmedDays: number; runsDays: number; tombstonesDays: number }
  /** `smtp://` or `smtps://`; absent: mails go to the outbox. */
  smtpUrl?: string
}

/** What an absent configuration means. */
export const defaultSettings: Settings = {
  site: {
    title: 'Broadsheet',
    description: 'Every post, in your feed reader and in your mailbox.',
    baseUrl: 'http://127.0.0.1:8787',
    language: 'en',
    timeZone: 'UTC',
  },
  categories: {},
  feeds: { entries: 20, content: 'full', hubs: [], redirects: {} },
  mail: { limits: {}, unclear: 'hold', patience: 24 },
  digests: {
    cadence: 'weekly',
    day: 'mon',
    at: '08:00',
    timeZone: 'UTC',
    cadences: ['instant', 'daily', 'weekly', 'monthly'],
    maxPosts: 20,
    maxAgeDays: 30,
  },
  server: { trustedProxies: [] },
  content: {
    // Lines of nothing but links back: `返回首页`, `Back to the front page`.
    hiddenLines: [
      '(返回|Back to |Zurück zu|戻る)[^|｜]{0,60}([|｜]\\s*(返回|Back to |Zurück zu|戻る)[^|｜]{0,60})*',
    ],
    identity: 'path',
    timeZone: 'UTC',
  },
  sources: [],
  keep: { unconfirmedDays: 7, runsDays: 400, tombstonesDays: 30 },
}
