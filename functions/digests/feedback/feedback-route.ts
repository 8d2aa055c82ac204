import type { Context } from 'hono'
import * as v from 'valibot'
import { apiRoute, check, queryOf } from '../../api/api.ts'
import { invalid, ServiceError, tooLarge } from '../../errors.ts'
import { readDeliveryReport } from '../../mail/delivery-report.ts'
import { readMessageId } from '../../mail/headers.ts'
import { withoutAddress } from '../../mail/refusal.ts'
import { parseJson } from '../../parse-json.ts'
import type { Platform } from '../../platform.ts'
import { normaliseAddress, subscriberIdOf } from '../../subscribers/address.ts'
import { type Feedback, type FeedbackKind, isKnownDelivery, noteFeedback } from './note-feedback.ts'

/** A mail of ours that comes back whole has a tenth of it. */
const mostBytes = 1024 * 1024
const mostItems = 500
/** Items noted side by side. */
const atATime = 16

const reportTypes = ['message/rfc822', 'message/global', 'multipart/report']

const itemSchema = v.pipe(
  v.strictObject({
    deliveryId: v.optional(
      v.pipe(v.string(), v.regex(/^[\w-]{1,256}$/, 'must be the id of a delivery')),
    ),
    email: v.optional(v.pipe(v.string(), v.minLength(3), v.maxLength(320))),
    kind: v.picklist(
      ['hard-bounce', 'soft-bounce', 'complaint', 'delivered'],
      'must be `hard-bounce`, `soft-bounce`, `complaint` or `delivered`',
    ),
    reason: v.optional(v.pipe(v.string(), v.maxLength(2000))),
  }),
  v.check(
    ({ deliveryId, email }) => (deliveryId === undefined) !== (email === undefined),
    'needs either `deliveryId` or `email`',
  ),
)
const itemsSchema = v.strictObject({
  items: v.pipe(
    v.array(itemSchema),
    v.minLength(1, 'must have at least one item'),
    v.maxLength(mostItems, `must have at most ${mostItems} items`),
  ),
})
const query = v.object({
  match: v.optional(
    v.pipe(
      v.picklist(['any', 'delivery'], 'must be `any` or `delivery`'),
      v.description(
        '`delivery` believes only what names a mail by its id, which nobody can know who has not got it; for `any` an address is enough. Default: `delivery` for reports that come as a mail, which anybody can have written, `any` for JSON, which the caller writes.',
      ),
    ),
  ),
})
const outcomeSchema = v.object({
  outcome: v.picklist(['noted', 'ignored']),
  kind: v.optional(
    v.picklist(['hard-bounce', 'soft-bounce', 'complaint', 'delivered', 'accepted']),
  ),
  reason: v.optional(v.pipe(v.string(), v.description('Why it was ignored.'))),
})

type Outcome = v.InferOutput<typeof outcomeSchema>

/** One thing that is reported, before it is known whether it concerns us. */
interface Reported {
  kind: FeedbackKind
  deliveryId?: string | undefined
  email?: string | undefined
  reason?: string | undefined
}

/** `POST /api/v1/feedback`: what mail servers, mailbox providers and relays say of mails that left. */
export const feedbackRoute = apiRoute({
  method: 'post',
  path: '/api/v1/feedback',
  summary:
    'Takes what became of mails: delivery reports (RFC 3464), abuse reports (RFC 5965), or JSON.',
  scope: 'readers:write',
  query,
  body: {
    'application/json': v.union([itemSchema, itemsSchema]),
    'message/rfc822': 'text',
    'multipart/report': 'text',
  },
  answers: {
    200: {
      description: 'What became of each; a mail that is no report is ignored.',
      content: {
        'application/json': v.object({
          noted: v.number(),
          ignored: v.number(),
          items: v.array(outcomeSchema),
        }),
      },
    },
  },
  async handle(c, platform) {
    const { match } = queryOf(c, query)
    const type = c.req.header('content-type') ?? ''
    const media = type.split(';')[0]?.trim().toLowerCase() ?? ''
    const isJson = media === 'application/json'
    if (!isJson && !reportTypes.includes(media)) {
      throw new ServiceError(
        415,
        'media-type',
        'Feedback is sent as `application/json`, or as a mail: `message/rfc822` or `multipart/report`.',
      )
    }
    const bytes = await boundedBody(c)
    const reported = isJson ? readItems(bytes) : await readReport(bytes, media, type)
    const items =
      reported.length > 0
        ? await noteAll(platform, reported, (match ?? (isJson ? 'any' : 'delivery')) === 'delivery')
        : [ignored('It is no report of a delivery or of abuse, or says nothing that counts.')]
    const noted = items.filter(({ outcome }) => outcome === 'noted').length
    return c.json({ noted, ignored: items.length - noted, items })
  },
})

async function boundedBody(c: Context): Promise<Uint8Array> {
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.length > mostBytes) throw tooLarge('The feedback', '1 MB')
  return bytes
}

function readItems(bytes: Uint8Array): Reported[] {
  const value = parseJson(bytes)
  const isList = typeof value === 'object' && value !== null && 'items' in value
  return isList ? check(itemsSchema, value).items : [check(itemSchema, value)]
}

async function readReport(bytes: Uint8Array, media: string, type: string): Promise<Reported[]> {
  // A body of this type may be a whole mail, or only the parts that the request's header is the head of.
  const isHeadless = media === 'multipart/report' && bytes[0] === 0x2d && bytes[1] === 0x2d
  const whole = isHeadless
    ? Buffer.concat([Buffer.from(`Content-Type: ${type}\r\n\r\n`), bytes])
    : bytes
  const report = await readDeliveryReport(whole).catch((cause: unknown) => {
    throw invalid(
      'feedback.report',
      'The report cannot be read: it is nested too deeply or its headers are too long. Send the mail as it came.',
      { cause },
    )
  })
  if (!report) return []
  const deliveryId = report.names.map(readMessageId).find(isDeliveryId)
  if (deliveryId === undefined) {
    return report.mails.map(({ recipient: email, ...rest }) => ({ ...rest, email }))
  }
  // Every mail of ours has one recipient; more stand there where an alias has passed it on.
  const mildest = mildness
    .map((kind) => report.mails.find((mail) => mail.kind === kind))
    .find(Boolean)
  return mildest ? [{ kind: mildest.kind, reason: mildest.reason, deliveryId }] : []
}

/** If the mail reached anybody, the address is a good one. */
const mildness = ['delivered', 'accepted', 'soft-bounce', 'hard-bounce', 'complaint'] as const

function isDeliveryId(id: string | undefined): id is string {
  return id !== undefined && /_[0-9a-f]{32}_/.test(id)
}

async function noteAll(
  platform: Platform,
  reported: readonly Reported[],
  isStrict: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let at = 0; at < reported.length; at += atATime) {
    const some = reported.slice(at, at + atATime)
    outcomes.push(...(await Promise.all(some.map((one) => note(platform, one, isStrict)))))
  }
  return outcomes
}

async function note(platform: Platform, reported: Reported, isStrict: boolean): Promise<Outcome> {
  const { kind, reason } = reported
  const feedback = await feedbackOf(platform, reported, isStrict)
  if (typeof feedback === 'string') return { kind, ...ignored(feedback) }
  if ((await noteFeedback(platform, feedback)) === 'unknown') {
    return { kind, ...ignored('It names no reader of this service.') }
  }
  platform.log.info('feedback.noted', {
    ...feedback,
    ...(reason ? { reason: withoutAddress(reason, reported.email) } : {}),
  })
  return { kind, outcome: 'noted' }
}

/** What to note, or why it is ignored. */
async function feedbackOf(
  platform: Platform,
  { kind, deliveryId, email }: Reported,
  isStrict: boolean,
): Promise<Feedback | string> {
  if (deliveryId !== undefined) {
    const isKnown = await isKnownDelivery(platform, deliveryId)
    return isKnown ? { kind, deliveryId } : 'It names no mail of this service.'
  }
  if (email === undefined) return 'It names neither a mail of this service nor a recipient.'
  if (isStrict) return 'It names no mail by its id.'
  try {
    return { kind, subscriberId: subscriberIdOf(platform, normaliseAddress(email)) }
  } catch (error) {
    if (error instanceof ServiceError) return 'It names a recipient that no mail can be sent to.'
    throw error
  }
}

function ignored(reason: string): Outcome {
  return { outcome: 'ignored', reason }
}
