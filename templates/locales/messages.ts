import type { Cadence } from '../../functions/subscribers/subscriber.ts'

/**
 * Every word that readers meet, on pages and in mails. A locale is one file that has them all: a
 * missing one does not compile. Whole sentences, never pieces to be joined, because word order
 * differs; what is put in (`title`, `site`) is plain text and escaped where it is shown.
 */
export interface Messages {
  /** BCP 47; the language of the text and of its dates. */
  locale: string
  /** The language's name in itself. */
  language: string

  navigation: {
    label: string
    skip: string
    latest: string
    feeds: string
    archive: string
    subscribe: string
    /** Below every page. */
    colophon: string
  }
  home: {
    latest: string
    /** Nothing has been published yet. */
    empty: string
    directory: string
    /** Leads from the first categories to all of them. */
    allCategories: (count: number) => string
    /** Leads to the page that goes on, and heads it. */
    more: string
    /** Leads back from there. */
    newest: string
  }
  post: {
    by: (authors: string) => string
    updated: (date: string) => string
    minutes: (count: number) => string
    /** Leads to the post's home when that is elsewhere. */
    original: (host: string) => string
    attachments: string
  }
  category: {
    posts: (count: number) => string
    empty: string
    /** What a category's page offers. */
    feeds: string
    copyHint: string
    byMail: string
  }
  feeds: {
    title: string
    lead: string
    everything: string
    everythingHint: string
    opml: string
    opmlHint: string
    none: string
  }
  subscribe: {
    title: string
    lead: string
    email: string
    emailHint: string
    categories: string
    categoriesHint: string
    /** The form stands on a category's page. */
    onlyCategory: (title: string) => string
    cadence: string
    when: string
    /** What applies when nothing below is changed. */
    whenDefault: (sentence: string) => string
    day: string
    dayUsual: string
    dayWeekly: string
    dayMonthly: string
    dayHint: string
    at: string
    timeZone: string
    locale: string
    button: string
    choose: string
    /** What is agreed to; kept with the proof of consent. */
    consent: string
    errorTitle: string
    /** Starts the page's title after a refused form. */
    errorPrefix: string
    /** What is wrong, by field, where the service's own words are in another language. */
    faults: Readonly<Record<string, string>>
  }
  /** Choices as whole sentences. */
  cadences: Record<Cadence, string>
  /** What a reader gets, when: `One mail a week, on Monday at 08:00 (Europe/Berlin)`. */
  schedule: (choice: { cadence: Cadence; day: string; at: string; timeZone: string }) => string
  /** Ordinals for days of the month: `15` → `the 15th`. */
  monthDay: (day: number) => string
  /** `first` or `last` with a weekday's name. */
  monthWeekday: (position: MonthPosition, weekday: string) => string
  /** `change`: instead of `lead` for a change of address, which still gets its mail at the old one. */
  checkInbox: { title: string; lead: string; change: string; nothing: string }
  confirm: {
    title: string
    lead: (site: string) => string
    button: string
    ignore: string
  }
  confirmed: {
    title: string
    lead: string
    next: (date: string) => string
    change: string
  }
  /** The new address has said yes, and a mail to the old one is under way. */
  moving: { title: string; lead: string }
  /** An old link of a reader whose address was changed since. */
  moved: { title: string; lead: string }
  preferences: {
    title: string
    saved: string
    tooOften: string
    save: string
    paused: (date: string) => string
    resume: string
    stopped: string
    suppressed: string
    again: string
    pause: string
    pauseHint: string
    pauseUntil: string
    pauseButton: string
    address: string
    addressHint: string
    newAddress: string
    addressButton: string
    data: string
    dataHint: string
    export: string
    erase: string
    eraseHint: string
    eraseConfirm: string
    eraseButton: string
    leave: string
    leaveHint: string
    leaveButton: string
  }
  unsubscribe: {
    title: string
    lead: (site: string) => string
    leadCategory: (category: string) => string
    button: string
    buttonCategory: (category: string) => string
    keep: string
  }
  unsubscribed: {
    title: string
    lead: string
    /** After leaving one category only. */
    leadCategory: (category: string) => string
    change: string
    back: string
  }
  linkExpired: { title: string; lead: string; again: string }
  erased: { title: string; lead: string }
  archive: {
    title: string
    /** The list goes by the site's usual schedule; readers with another one get other issues. */
    lead: string
    /** `schedule` is the usual one as a sentence. */
    empty: (schedule: string) => string
    /** In place of `empty` where the usual schedule is to mail each post at once. */
    instant: string
    posts: (count: number) => string
    more: (count: number) => string
  }
  outbox: {
    title: string
    lead: string
    empty: string
    to: string
    from: string
    html: string
    text: string
    source: string
    older: string
    back: string
  }
  /** By HTTP status; `other` for the rest. */
  errors: Record<ErrorKind, { title: string; lead: string }> & { code: string; home: string }

  /** Mails. */
  mail: {
    /** `Title (+2 more)`. */
    subjectMore: (title: string, more: number) => string
    viewOnline: string
    inThisIssue: string
    uncategorised: string
    posts: (count: number) => string
    andMore: (count: number) => string
    /** Why this mail came. `categories` is empty for everything. */
    why: (site: string, categories: string, cadence: Cadence) => string
    whyLetter: (site: string, categories: string) => string
    /** `others` is what is not among `shown`, not the sum. */
    andOthers: (shown: string, others: number) => string
    preferences: string
    unsubscribe: string
    archive: string
    letterTooLong: string
    confirmSubject: (site: string) => string
    confirmLead: (site: string) => string
    confirmWhat: string
    confirmButton: string
    confirmIgnore: string
    everything: string
    preferencesSubject: (site: string) => string
    preferencesLead: (site: string) => string
    preferencesButton: string
    preferencesIgnore: string
    addressSubject: (site: string) => string
    addressLead: (site: string) => string
    addressButton: string
    addressIgnore: string
    orCopy: string
    /** A label before what it names: `Unsubscribe:`. */
    label: (text: string) => string
  }
}

export type MonthPosition = 'first' | 'last'

export type ErrorKind =
  | 'notFound'
  | 'gone'
  | 'refused'
  | 'notAllowed'
  | 'conflict'
  | 'tooLarge'
  | 'tooMany'
  | 'fault'
  | 'other'
