import { plural } from './format.ts'
import type { Messages } from './messages.ts'

const posts = (count: number) => plural('en', count, { one: '1 post', other: '# posts' })
const often = {
  instant: 'as soon as something appears',
  daily: 'once a day',
  weekly: 'once a week',
  monthly: 'once a month',
} as const

export const en: Messages = {
  locale: 'en',
  language: 'English',
  navigation: {
    label: 'Main',
    skip: 'Skip to the text',
    latest: 'Latest',
    feeds: 'Feeds',
    archive: 'Past issues',
    subscribe: 'Subscribe',
    colophon: 'No scripts, no tracking. Read here, in a feed reader or by mail.',
  },
  home: {
    latest: 'Latest',
    empty: 'Nothing has been published yet. Subscribe, and you will hear of the first post.',
    directory: 'Categories',
    allCategories: (count) =>
      plural('en', count, { one: 'The category', other: 'All # categories' }),
    more: 'Older posts',
    newest: 'Newest posts',
  },
  post: {
    by: (authors) => `By ${authors}`,
    updated: (date) => `Updated ${date}`,
    minutes: (count) => `${count} min read`,
    original: (host) => `First published at ${host}`,
    attachments: 'Attachments',
  },
  category: {
    posts,
    empty: 'There is nothing in this category yet.',
    feeds: 'Follow in a feed reader',
    copyHint: 'Copy one of these addresses into your feed reader. All three have the same posts.',
    byMail: 'Follow by mail',
  },
  feeds: {
    title: 'Feeds',
    lead: 'Each category as a feed, in three formats with the same posts. Copy an address into your feed reader, and new posts arrive there by themselves.',
    everything: 'Everything',
    everythingHint: 'Every post of every category.',
    opml: 'All feeds in one file (OPML)',
    opmlHint: 'Most feed readers can import it.',
    none: 'There are no categories yet. The feeds above will have every post.',
  },
  subscribe: {
    title: 'Subscribe by mail',
    lead: 'One mail with what is new in the categories you choose, as often as you like.',
    email: 'Email address',
    emailHint: 'We send you one mail to confirm it. It is used for nothing else.',
    categories: 'What would you like to read?',
    categoriesHint: 'Choose none to get everything, new categories included.',
    onlyCategory: (title) => `New posts in ${title}, in one mail.`,
    cadence: 'How often?',
    when: 'Day, time and language',
    whenDefault: (sentence) => `If you change nothing here: ${sentence}`,
    day: 'Day',
    dayUsual: 'The usual day',
    dayWeekly: 'For one mail a week',
    dayMonthly: 'For one mail a month',
    dayHint: 'In a shorter month the last day stands for one that it lacks.',
    at: 'Time',
    timeZone: 'Time zone',
    locale: 'Language of the mails',
    button: 'Subscribe',
    choose: 'Choose categories, day and time',
    consent:
      'By subscribing you ask us to mail you until you say stop. Every mail has a link for that.',
    errorTitle: 'Please look at this again',
    errorPrefix: 'Error',
    faults: {},
  },
  cadences: {
    instant: 'As soon as something appears (this can be several mails a day)',
    daily: 'Once a day, if there is something new',
    weekly: 'Once a week, if there is something new',
    monthly: 'Once a month, if there is something new',
  },
  schedule: ({ cadence, day, at, timeZone }) =>
    ({
      instant: 'A mail as soon as something appears.',
      daily: `One mail a day, at ${at} (${timeZone}).`,
      weekly: `One mail a week, on ${day} at ${at} (${timeZone}).`,
      monthly: `One mail a month, on ${day} at ${at} (${timeZone}).`,
    })[cadence],
  monthDay: (day) =>
    `the ${plural('en', day, { one: '#st', two: '#nd', few: '#rd', other: '#th' }, 'ordinal')}`,
  monthWeekday: (position, weekday) => `the ${position} ${weekday}`,
  checkInbox: {
    title: 'Check your inbox',
    lead: 'We have sent you a mail. Open the link in it; until then nothing else will reach you.',
    change:
      'We have sent a mail to the new address. Open the link in it; until then everything goes on coming to your present address.',
    nothing:
      'Nothing there after a few minutes? Look among the spam, and check how you wrote the address. We send at most one such mail a day.',
  },
  confirm: {
    title: 'Confirm your subscription',
    lead: (site) => `You asked for mail from ${site}:`,
    button: 'Confirm',
    ignore: 'Was it not you? Close this page, and nothing will be sent.',
  },
  confirmed: {
    title: 'You are subscribed',
    lead: 'Thank you. What appears from now on will reach you by mail:',
    next: (date) => `The next one is due ${date}.`,
    change: 'Change your choices',
  },
  moving: {
    title: 'Your new address is noted',
    lead: 'A mail is still on its way to your old address. After it, everything comes to the new one; you need do nothing more.',
  },
  moved: {
    title: 'Your address was changed',
    lead: 'This link belongs to your old address. The link in the next mail to your new one leads to your settings.',
  },
  preferences: {
    title: 'Your subscription',
    saved: 'Your choices are saved. They hold from the next mail on.',
    tooOften:
      'You have changed your choices very often today. What was saved before stays as it is; please try again tomorrow.',
    save: 'Save',
    paused: (date) => `Mail is paused until ${date}.`,
    resume: 'Resume now',
    stopped: 'You are not subscribed at present.',
    suppressed:
      'No mail goes to this address: mails to it came back, or one was reported as spam. To go on reading by mail, subscribe with another address.',
    again: 'Subscribe again',
    pause: 'Pause',
    pauseHint:
      'No mail until this day. What appears meanwhile is not sent later; it stays here to read.',
    pauseUntil: 'Pause until',
    pauseButton: 'Pause',
    address: 'Another address',
    addressHint:
      'We send a mail to the new address. Once you confirm it there, it takes the place of this one.',
    newAddress: 'New email address',
    addressButton: 'Change the address',
    data: 'Your data',
    dataHint: 'Everything we keep about you, as a file.',
    export: 'Download',
    erase: 'Erase',
    eraseHint:
      'Your address and everything with it is deleted at once and for good. What stays is a number from which the address cannot be found, so that no import can bring you back.',
    eraseConfirm: 'Yes, delete everything',
    eraseButton: 'Erase my data',
    leave: 'Unsubscribe',
    leaveHint: 'No further mail. You can come back at any time.',
    leaveButton: 'Unsubscribe',
  },
  unsubscribe: {
    title: 'Unsubscribe',
    lead: (site) => `Shall ${site} stop sending you mail?`,
    leadCategory: (category) =>
      `Shall ${category} be left out from now on? Your other categories stay as they are.`,
    button: 'Unsubscribe',
    buttonCategory: (category) => `Leave out ${category}`,
    keep: 'No, change my choices instead',
  },
  unsubscribed: {
    title: 'You are unsubscribed',
    lead: 'Done. There will be no further mail from us.',
    leadCategory: (category) => `Done. ${category} is left out from now on.`,
    change: 'Come back, or choose less mail instead',
    back: 'Back to the front page',
  },
  linkExpired: {
    title: 'This link no longer works',
    lead: 'It is too old, was used already, or was cut short on the way. Your subscription is as it was.',
    again: 'Enter your address, and we send you a fresh link',
  },
  erased: {
    title: 'Your data is erased',
    lead: 'We keep neither your address nor your choices. There will be no further mail.',
  },
  archive: {
    title: 'Past issues',
    lead: 'All posts, gathered into issues by the usual schedule.',
    empty: (schedule) => `No issue of the usual schedule has come due yet. It is: ${schedule}`,
    instant: 'By the usual schedule each post is mailed at once: there are no issues to gather.',
    posts,
    more: (count) => plural('en', count, { one: 'and 1 more', other: 'and # more' }),
  },
  outbox: {
    title: 'Outbox',
    lead: 'Mails that would have gone out. Without a mail server they stay on this machine, for you to look at.',
    empty: 'No mail yet. Subscribe with any address, and the confirmation will be here.',
    to: 'To',
    from: 'From',
    html: 'As it looks',
    text: 'Plain text',
    source: 'Source',
    older: 'Older mails',
    back: 'All mails',
  },
  errors: {
    notFound: {
      title: 'There is nothing here',
      lead: 'Perhaps the address was cut short, or the page has moved.',
    },
    gone: {
      title: 'This has been withdrawn',
      lead: 'The publisher has taken this page back.',
    },
    refused: {
      title: 'This cannot be done as it is',
      lead: 'Please go back, change what is named below, and try again.',
    },
    notAllowed: {
      title: 'This is not open to you',
      lead: 'You need permission for this page.',
    },
    conflict: {
      title: 'Somebody was quicker',
      lead: 'It was changed meanwhile. Load the page again and repeat.',
    },
    tooLarge: { title: 'That is too much at once', lead: 'Please send less.' },
    tooMany: { title: 'Too many requests', lead: 'Please wait a little and try again.' },
    fault: {
      title: 'Something failed on our side',
      lead: 'Nothing was lost. Please try again in a few minutes.',
    },
    other: { title: 'This did not work', lead: 'Please go back and try again.' },
    code: 'Code',
    home: 'To the front page',
  },
  mail: {
    subjectMore: (title, more) => `${title} (+${more} more)`,
    viewOnline: 'Read on the web',
    inThisIssue: 'In this issue',
    uncategorised: 'More',
    posts,
    andMore: (count) =>
      plural('en', count, { one: 'and 1 more on the web', other: 'and # more on the web' }),
    why: (site, categories, cadence) =>
      categories
        ? `You asked ${site} for this, ${often[cadence]}: ${categories}.`
        : `You asked ${site} for everything new, ${often[cadence]}.`,
    whyLetter: (site, categories) =>
      categories
        ? `You read ${categories} at ${site}; letters go to everyone who does.`
        : `You read everything at ${site}; letters go to everyone who does.`,
    andOthers: (shown, others) => `${shown} and ${others} more`,
    preferences: 'Change what you get',
    unsubscribe: 'Unsubscribe',
    archive: 'Past issues',
    letterTooLong: 'This letter is too long for a mail. Read the rest on the web',
    confirmSubject: (site) => `Please confirm: mail from ${site}`,
    confirmLead: (site) =>
      `This address was entered at ${site} to get mail. If that was you, please confirm it.`,
    confirmWhat: 'What was asked for',
    confirmButton: 'Confirm subscription',
    confirmIgnore: 'If it was not you, do nothing: no further mail will come.',
    everything: 'Everything',
    preferencesSubject: (site) => `Your subscription to ${site}`,
    preferencesLead: (site) =>
      `This address was entered at ${site}, where it is already known. Here is your way to your subscription.`,
    preferencesButton: 'Open your subscription',
    preferencesIgnore: 'If it was not you, do nothing: everything stays as it is.',
    addressSubject: (site) => `Please confirm your new address for ${site}`,
    addressLead: (site) =>
      `A reader of ${site} would like to have mail sent to this address from now on. If that was you, please confirm it.`,
    addressButton: 'Use this address',
    addressIgnore: 'If it was not you, do nothing: no mail will come here.',
    orCopy: 'Or copy this address into your browser:',
    label: (text) => `${text}:`,
  },
}
