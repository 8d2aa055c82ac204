/**
 * The stable codes of errors and outcomes and what each is about, for the API's documentation. What
 * is refused with another one does not compile, and a test fails for one that nothing has any more.
 */
export const errorCodes = {
  // any request
  'not-found': 'There is nothing of that name or at that address.',
  'too-large': 'The input is larger than what is taken; the detail says how large it may be.',
  'changed-meanwhile': 'Somebody else changed it first. Read it again and repeat.',
  'malformed-json': 'The body is not one JSON document in UTF-8.',
  'malformed-form': 'The form cannot be read.',
  'too-many-fields': 'The form has more fields than any of ours.',
  'media-type': 'The route takes another media type.',
  'invalid-input': 'The input has the wrong shape; `errors` names each field.',
  cursor: 'The `cursor` is none of ours. Take it from the page before, unchanged.',
  'foreign-form': 'The form was sent by another site.',
  'local-only': 'This works only where the service is one process on one machine.',
  internal: 'Something failed on our side; nothing was lost. Try again later.',

  // keys
  'key.missing': 'The request needs an API key, and has none that is valid.',
  'key.scope': 'The key may not do this: it lacks the scope.',
  'key.name': 'The name cannot be used for a key.',
  'key.name-taken': 'There is a key of that name.',
  'idempotency.key': 'The `Idempotency-Key` cannot be used as it is.',
  'idempotency.mismatch': 'The `Idempotency-Key` was used for another request.',

  // posts
  'post.input': 'The post has the wrong shape; `errors` names each field.',
  'post.id': 'The explicit id is longer than 500 characters.',
  'post.title': 'The post has no title and no text to take one from.',
  'post.date': 'The date cannot be read. It is never guessed.',
  'post.date-missing':
    'An imported post has no date: in its front matter, its path or its permalink.',
  'post.encoding': 'The post is neither UTF-8 nor UTF-16 with a byte order mark.',
  'post.front-matter': 'The front matter cannot be read; the detail names the line.',
  'post.url': 'The `url` is not an absolute http(s) address.',
  'post.mail': 'The `mail` is none of `digest`, `letter` and `none`.',
  'post.mail-at':
    'The time of the letter cannot be read as a day and an hour, or the post goes into digests.',
  'post.path': 'The path leads out of its folder or cannot be used as a key.',
  'post.nesting': 'The HTML is nested too deeply.',
  'post.categories': 'The post has more categories than one may have.',
  'post.tags': 'The post has more tags than one may have.',
  'post.identity-taken': 'The id, path or URL leads to another post.',
  'post.withdrawn': 'The post was withdrawn.',

  // outcomes of an import
  'post.duplicate': 'It leads to the same post as an earlier one of the same import.',
  'post.hidden': 'The post asks not to be shown (`draft`, `published: false`, `hidden`).',
  'post.scheduled': 'The post is dated in the future and shown from then on.',
  'post.not-a-post': 'It is neither Markdown nor HTML nor JSON.',
  section: 'It describes a section of a site.',
  document: 'It is a document of a repository, without front matter.',
  page: 'It is a page of a site, without a date.',
  empty: 'It has no title, no date and no text.',
  'undated-draft': 'It is hidden and has no date.',
  'import.line': 'The line of the import cannot be read.',

  // readers
  'subscribe.invalid': 'The form cannot be taken as it is; `errors` names each field.',
  'subscribe.too-many':
    'Too many requests came from one address. `Retry-After` says when to try again.',
  'subscriber.email': 'No mail can be sent to the address as it is written.',
  'subscriber.categories': 'A category is not known, or there are too many.',
  'subscriber.cadence': 'The frequency is none that is offered.',
  'subscriber.day': 'The day does not fit the frequency.',
  'subscriber.at': 'The time is not `HH:MM`.',
  'subscriber.timeZone': 'The time zone is not an IANA name.',
  'subscriber.locale': 'The language is not a language tag.',
  'subscriber.pausedUntil': 'The end of a pause is not an instant to come.',
  'subscriber.state': 'The reader’s state does not allow it.',
  'subscriber.consent': 'A confirmed reader needs proof of consent.',
  'subscriber.left': 'The reader left, and the consent is not later than that.',
  'subscriber.suppressed': 'No mail may go to the address: it bounced, complained or was erased.',
  'preferences.action': 'The form names nothing that can be done.',
  'preferences.confirm': 'Erasing needs the box ticked.',
  'preferences.email': 'The address cannot take the place of the present one.',
  'preferences.too-many':
    'The reader made too many changes in a day. `Retry-After` says when to try again.',
  'preferences.pausedUntil': 'The end of the pause is not a day to come.',
  'import.header': 'The list of readers does not begin with the names of its columns.',
  'import.confirmed-at': 'The row’s instant of confirmation or consent cannot be used.',

  // runs and mail
  'run.over': 'The run is over.',
  'run.paused': 'The run is paused.',
  'run.under-way': 'Deliveries of the run still go on; what failed can be retried when it is done.',
  'sending.not-paused': 'What is owed can be skipped only while all sending is paused.',
  'preview.post': 'A preview shows either a digest or one post as a letter.',
  'digest.empty': 'There is no post to show a digest of.',
  'mail.header': 'A text cannot be put into a mail header.',
  'mail.address': 'An address cannot be put into a mail header.',
  'mail.not-sent': 'The test mail was not taken by the mail server.',
  'feedback.report': 'The delivery or abuse report is nested too deeply or has too long headers.',
  'backup.folder': 'The folder of the backup is not empty or lies inside the data.',
} as const

/**
 * What a refusal may be called. What only a person at the machine can meet is told on the terminal
 * and is no part of the API, so its codes are not listed.
 */
export type ErrorCode =
  | keyof typeof errorCodes
  | `${'settings' | 'secrets' | 'folder' | 'server' | 'smtp'}.${string}`
