/**
 * Every object key, record key and URL path, in one place without imports, so that the product and
 * the grants of `infra/` read the same text. Category slugs hold letters, digits and hyphens of any
 * script, so `:` separates safely; `*` stands for everything.
 */

/** The slug that stands for the feed, the log and the membership of everything. */
export const everything = '*'

const number = (n: number) => String(n).padStart(12, '0')

/** A few hex digits of an id spread readers over partitions; ids sort alike with and without them. */
export const shards: readonly string[] = [...'0123456789abcdef']
export const shardOf = (subscriberId: string) => subscriberId.slice(0, 1)

/** The run that mails a post as a letter; `again` counts the wishes to mail it once more. */
export const letterRunId = (postId: string, again: number) =>
  `letter_${postId}${again > 0 ? `_${again}` : ''}`

/** Where objects may lie: what functions are granted, and nothing beside it. */
export const objectPrefixes = ['posts/', 'manifests/', 'public/', 'inbox/', 'outbox/'] as const

export const objectKeys = {
  /**
   * Everything of the archive: the posts' sources and bodies, in one folder, as a folder a post
   * would double what a file system has to do. The key begins with the post's id and a dot.
   */
  posts: 'posts/',
  /** The publisher's own bytes, as they came in; `hash` is of them, `ending` a file name's. */
  postSource: (postId: string, hash: string, ending: string) =>
    `posts/${postId}.source-${hash}.${ending}`,
  /** What one parse made of them: `PostBody` as JSON. Never rewritten: a new revision is a new object. */
  postBody: (postId: string, revision: string) => `posts/${postId}.body-${revision}.json`,
  manifest: (feed: string) => `manifests/${feed === everything ? '_all' : feed}.json`,
  publicPath: (path: string) => `public${path}`,
  feed: (feed: string, document: FeedDocument) =>
    `public${decodeURI(urlPaths.feed(feed, document))}`,
  /** Where the same lies compressed. */
  compressed: (key: string) => `${key}.gz`,
  page: (path: string) => `public${decodeURI(path)}index.html`,
  opml: 'public/feeds.opml',
  inbox: 'inbox/',
  inboxRejected: 'inbox/rejected/',
  /** A mail that is kept instead of sent: with its reader's others, so that an erasure finds them all. */
  outbox: (deliveryId: string) =>
    `${objectKeys.outboxOf(/_([0-9a-f]{32})_/.exec(deliveryId)?.[1])}${deliveryId}.eml`,
  /** Of the mails to a reader; without one, of those to nobody we know, such as tests. */
  outboxOf: (subscriberId?: string): string =>
    subscriberId === undefined ? 'outbox/' : `outbox/${subscriberId}/`,
} as const

/**
 * The formats of a feed by their document: what they are called on pages, under which name the API
 * answers with their address, and their media type. What is missing elsewhere for a new one does not
 * compile.
 */
export const feedFormats = {
  'rss.xml': { name: 'RSS', answer: 'rss', mediaType: 'application/rss+xml' },
  'atom.xml': { name: 'Atom', answer: 'atom', mediaType: 'application/atom+xml' },
  'feed.json': { name: 'JSON Feed', answer: 'json', mediaType: 'application/feed+json' },
} as const

export type FeedDocument = keyof typeof feedFormats
/** The names under which the API answers with addresses. */
export type FeedAnswer = (typeof feedFormats)[FeedDocument]['answer']
export const feedDocuments = Object.keys(feedFormats) as readonly FeedDocument[]

/** What a document is served and stored as. */
export const feedType = (document: FeedDocument) =>
  `${feedFormats[document].mediaType}; charset=utf-8`

/** The address of each document by the name that the API answers with. */
export const feedAnswer = (addressOf: (document: FeedDocument) => string) =>
  Object.fromEntries(
    feedDocuments.map((document) => [feedFormats[document].answer, addressOf(document)]),
  ) as Record<FeedAnswer, string>

export const urlPaths = {
  home: '/',
  feeds: '/feeds/',
  opml: '/feeds.opml',
  feed: (feed: string, document: FeedDocument) =>
    feed === everything ? `/feeds/${document}` : `/feeds/${encodeURIComponent(feed)}/${document}`,
  category: (slug: string): string => `/categories/${encodeURIComponent(slug)}/`,
  /** The posts of a feed that are older than a place in it (`placeAfter`). */
  older: (feed: string, place: string) =>
    `${feed === everything ? '/' : urlPaths.category(feed)}older/${place}/`,
  post: (slug: string) => `/posts/${encodeURIComponent(slug)}/`,
  subscribe: '/subscribe',
  confirm: (token: string) => `/confirm/${token}`,
  preferences: (token: string) => `/preferences/${token}`,
  unsubscribe: (token: string) => `/unsubscribe/${token}`,
  archive: '/archive/',
  edition: (id: string) => `/archive/${id}/`,
  outbox: '/outbox/',
} as const

export const recordKeys = {
  // posts
  post: (postId: string) => ({ partition: `post:${postId}`, sort: 'post' }),
  /** Leads from one way of naming a post (explicit id, path, permalink) to it; `hash` is of kind and value. */
  identity: (hash: string) => ({ partition: `identity:${hash}`, sort: 'post' }),
  slug: (slug: string) => ({ partition: `slug:${slug}`, sort: 'post' }),
  /** Posts by (published, id); `feed` is a category's slug or `*`. */
  dateIndex: (feed: string) => `dated:${feed}`,
  dateIndexSort: (published: string, postId: string) => `${published}#${postId}`,
  /** Withdrawn posts by the instant of withdrawal, for tombstones. */
  withdrawn: (feed: string) => `withdrawn:${feed}`,
  /** Posts that become visible later, by (instant, id). */
  due: 'due-posts',
  /** Batches of posts whose later steps are under way, by instant: what a tick finishes after a crash. */
  unfinished: 'unfinished-posts',
  /** Page jobs that are not done, by a hash of their posts. */
  pagesDue: 'pages-due',
  pageDue: (hash: string) => ({ partition: 'pages-due', sort: hash }),
  categories: 'categories',
  category: (slug: string) => ({ partition: 'categories', sort: slug }),
  /** Leads from a category's name, as written, to its slug. */
  categoryName: (name: string) => ({ partition: `category-name:${name}`, sort: 'category' }),
  categoryCount: (slug: string) => ({ partition: 'category-counts', sort: slug }),
  categoryCounts: 'category-counts',
  /** Feeds whose count a crash may have left wrong. */
  miscountedFeeds: 'miscounted-feeds',
  miscounted: (feed: string) => ({ partition: 'miscounted-feeds', sort: feed }),
  /** Held by who publishes a file of the inbox of a deployment; `hash` is of its path. */
  inboxTaker: (hash: string) => ({ partition: `inbox:${hash}`, sort: 'taker' }),
  idempotency: (hash: string) => ({ partition: `idempotency:${hash}`, sort: 'answer' }),
  /** What the parts of an import have met: its posts, and in a dry run the keys of those it would make. */
  importMet: (importId: string) => `import:${importId}`,

  // the log
  logHead: { partition: 'log', sort: 'head' },
  logRows: (feed: string) => `log:${feed}`,
  logRow: (feed: string, n: number) => ({ partition: `log:${feed}`, sort: number(n) }),

  // feeds
  /** Counts changes; never falls. */
  dirty: (feed: string) => ({ partition: 'feeds-dirty', sort: feed }),
  dirtyFeeds: 'feeds-dirty',
  /** The count that the last finished render read first. */
  rendered: (feed: string) => ({ partition: 'feeds-rendered', sort: feed }),
  renderedFeeds: 'feeds-rendered',

  // subscribers
  subscriber: (id: string) => ({ partition: `subscribers:${shardOf(id)}`, sort: id }),
  subscribers: (shard: string) => `subscribers:${shard}`,
  scheduleMembers: (scheduleId: string, shard: string) => `schedule-members:${scheduleId}:${shard}`,
  categoryMembers: (slug: string, shard: string) => `category-members:${slug}:${shard}`,
  instantMembers: (slug: string, shard: string) => `instant-members:${slug}:${shard}`,
  confirmation: (subscriberId: string) => ({
    partition: `confirmation:${subscriberId}`,
    sort: 'claim',
  }),
  /** What was asked for and is not confirmed yet: `latest`, and by nonce what a mail described. */
  subscriptionRequests: (subscriberId: string) => `subscription-requests:${subscriberId}`,
  subscriptionRequest: (subscriberId: string, which: string) => ({
    partition: `subscription-requests:${subscriberId}`,
    sort: which,
  }),
  /** Requests whose mail has not gone out: what a tick drives on. */
  confirmationsDue: 'confirmations-due',
  confirmationDue: (subscriberId: string) => ({
    partition: 'confirmations-due',
    sort: subscriberId,
  }),
  /** Changes of address under way, by the new id. */
  addressChanges: 'address-changes',
  addressChange: (newId: string) => ({ partition: 'address-changes', sort: newId }),
  /** Pauses by the instant of their end. */
  pauses: 'pauses',
  pause: (until: string, subscriberId: string) => ({
    partition: 'pauses',
    sort: `${until}#${subscriberId}`,
  }),
  /** Counts tries within one window of time; the name holds no plain address. */
  tries: (name: string) => ({ partition: `tries:${name}`, sort: 'count' }),
  schedules: 'schedules',
  schedule: (id: string) => ({ partition: 'schedules', sort: id }),

  // digests
  run: (runId: string) => ({ partition: `run:${runId}`, sort: 'run' }),
  runParts: (runId: string) => `run:${runId}`,
  chunk: (runId: string, chunk: number) => ({
    partition: `run:${runId}`,
    sort: `chunk#${number(chunk)}`,
  }),
  /** What is known of a chunk without its rows. */
  chunkBook: (runId: string, chunk: number) => ({
    partition: `run:${runId}`,
    sort: `book#${number(chunk)}`,
  }),
  /** Written before a settled row becomes `accepted`: a book that counted it must look again. */
  lateChange: (runId: string, chunk: number, subscriberId: string) => ({
    partition: `run:${runId}`,
    sort: `late#${number(chunk)}#${subscriberId}`,
  }),
  /** Runs that are not done, skipped or paused for good: what a tick drives on. */
  openRuns: 'open-runs',
  openRun: (runId: string) => ({ partition: 'open-runs', sort: runId }),
  /** Counts the finished chunks of one `gen` of a run: a hint that the run may be over, never more. */
  finishedChunks: (runId: string, gen: number) => ({
    partition: `run:${runId}`,
    sort: `finished#${number(gen)}`,
  }),
  /** Counts the readers of a run whose mail bounced, or who complained. */
  runTroubles: (runId: string, kind: 'bounces' | 'complaints') => ({
    partition: `run:${runId}`,
    sort: kind,
  }),
  /** Lets each of them count once. */
  runTrouble: (runId: string, kind: 'bounces' | 'complaints', subscriberId: string) => ({
    partition: `run-troubles:${runId}`,
    sort: `${kind}#${subscriberId}`,
  }),
  /** The log's number at each occurrence of the default schedule: where editions of the archive meet. */
  archive: 'archive',
  archiveMark: (instant: string) => ({ partition: 'archive', sort: instant }),
  /** Index partition: all runs by due instant. A view. */
  runsByDue: 'runs-by-due',
  ledger: (runId: string, chunk: number) => `ledger:${runId}:${chunk}`,
  ledgerRow: (runId: string, chunk: number, subscriberId: string) => ({
    partition: `ledger:${runId}:${chunk}`,
    sort: subscriberId,
  }),
  /** Index partition: a reader's deliveries by instant. A view. */
  deliveriesOf: (subscriberId: string) => `deliveries:${subscriberId}`,
  /** What the provider's events said of a delivery. */
  evidence: (deliveryId: string) => ({ partition: `evidence:${deliveryId}`, sort: 'event' }),
  /** Counts the slots of a second that are given away. */
  pace: (second: number) => ({ partition: `pace:${second}`, sort: 'taken' }),
  /** Those of them that confirmations took ahead of bulk. */
  paceAhead: (second: number) => ({ partition: `pace:${second}`, sort: 'ahead' }),
  /** Mails of ten minutes, counted while there is a limit a day; `n` counts them since 1970. */
  paceStretch: (n: number) => ({ partition: `pace-stretch:${n}`, sort: 'sent' }),
  /** Test mails that somebody asked for, by their deliveries' ids. */
  testMails: 'test-mails',
  testMail: (id: string) => ({ partition: 'test-mails', sort: id }),
  clock: { partition: 'clock', sort: 'last-tick' },
  sending: { partition: 'clock', sort: 'sending' },
  /** The log's number up to which instant runs, and letters' runs, are made. */
  instantHead: { partition: 'clock', sort: 'instant' },
  letterHead: { partition: 'clock', sort: 'letters' },

  // the service
  /** Keys that are made on first use; each in a partition of its own, so that grants can tell them apart. */
  secret: (name: 'subscribers' | 'links') => ({ partition: `secret:${name}`, sort: 'key' }),
  apiKeys: 'api-keys',
  apiKey: (hash: string) => ({ partition: 'api-keys', sort: hash }),
} as const
