import type { Context } from 'hono'
import * as v from 'valibot'
import {
  type ApiRoute,
  apiRoute,
  check,
  jsonBody,
  pageQuery,
  problemSchema,
  queryOf,
} from '../api/api.ts'
import { changedMeanwhile, invalid, notFound } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { listCategories } from '../posts/categories.ts'
import { addByProof } from './add-reader.ts'
import { isSubscriberId, normaliseAddress, subscriberIdOf } from './address.ts'
import { changePreferences, unsubscribe } from './change-preferences.ts'
import { eraseSubscriber } from './erase.ts'
import { listRoutes } from './list-routes.ts'
import { listSubscribers } from './list-subscribers.ts'
import { pauseUntil, resume } from './pauses.ts'
import { checkPreferences, preferencesOf } from './preferences.ts'
import { publicSubscriber, subscriberSchema } from './public-subscriber.ts'
import { readInstant } from './read-instant.ts'
import { getSubscriber } from './store.ts'
import { keepPending, requestSubscription } from './subscribe.ts'
import { isReader, type Preferences, type Subscriber, subscriberStates } from './subscriber.ts'
import { latestRequest } from './subscription-requests.ts'

const text = v.pipe(v.string(), v.maxLength(100))

/** Checked further, with words for people, by `checkPreferences`. */
const preferenceFields = {
  categories: v.optional(v.pipe(v.array(text), v.maxLength(500))),
  cadence: v.optional(text),
  day: v.optional(v.union([text, v.number()])),
  at: v.optional(text),
  timeZone: v.optional(text),
  locale: v.optional(text),
}

const proofSchema = v.object({
  at: v.pipe(v.string(), v.maxLength(40)),
  source: v.optional(v.pipe(v.string(), v.maxLength(100))),
  from: v.optional(v.pipe(v.string(), v.maxLength(500))),
  text: v.optional(v.pipe(v.string(), v.maxLength(2000))),
})

const newReaderSchema = v.object({
  email: v.pipe(v.string(), v.maxLength(1000)),
  ...preferenceFields,
  confirmed: v.optional(v.boolean()),
  consent: v.optional(proofSchema),
})

const changeSchema = v.strictObject({
  ...preferenceFields,
  state: v.optional(v.picklist(['unsubscribed', 'confirmed'])),
  pausedUntil: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(40)))),
})

const findSchema = v.strictObject({ email: v.pipe(v.string(), v.maxLength(1000)) })

const listQuery = v.object({
  ...pageQuery.entries,
  state: v.optional(v.picklist(subscriberStates)),
})

const json = <S extends v.GenericSchema>(schema: S) => ({ 'application/json': schema })
const refusals = {
  404: { description: 'No such reader', content: { 'application/problem+json': problemSchema } },
  422: { description: 'Refused', content: { 'application/problem+json': problemSchema } },
}

/** Readers over the API. */
export const subscriberRoutes: readonly ApiRoute[] = [
  apiRoute({
    method: 'get',
    path: '/api/v1/subscribers',
    summary: 'Lists readers; `state` leaves out the others',
    scope: 'readers:read',
    query: listQuery,
    answers: {
      200: {
        description: 'A page of readers, by id',
        content: json(
          v.object({ items: v.array(subscriberSchema), cursor: v.optional(v.string()) }),
        ),
      },
    },
    async handle(c, platform) {
      const { limit, cursor, state } = queryOf(c, listQuery)
      if (cursor !== undefined && !isSubscriberId(cursor)) {
        throw invalid('cursor', 'The cursor is not one of ours. Take it from the page before.')
      }
      const page = await listSubscribers(platform, {
        limit,
        ...(cursor === undefined ? {} : { after: cursor }),
        ...(state === undefined ? {} : { state }),
      })
      return c.json({
        ...page,
        items: page.items.map((item) => publicSubscriber(item, platform.settings)),
      })
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/subscribers/find',
    // Not a GET: an address in a URL would stand in logs and histories on the way.
    summary: 'Finds the reader of an address',
    scope: 'readers:read',
    body: json(findSchema),
    answers: {
      200: { description: 'The reader', content: json(subscriberSchema) },
      ...refusals,
    },
    async handle(c, platform) {
      const { email } = check(findSchema, await jsonBody(c))
      const id = subscriberIdOf(platform, normaliseAddress(email))
      const found = (await getSubscriber(platform, id))?.value
      if (!found) throw notFound('A reader of this address')
      return c.json(publicSubscriber(found, platform.settings))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/subscribers',
    summary:
      'Asks an address whether it wants to subscribe; with `confirmed` and a proof of consent, subscribes it',
    scope: 'readers:write',
    body: json(newReaderSchema),
    answers: {
      200: { description: 'The reader was known', content: json(subscriberSchema) },
      201: { description: 'The reader is new', content: json(subscriberSchema) },
      422: refusals[422],
    },
    async handle(c, platform) {
      const input = check(newReaderSchema, await jsonBody(c))
      const email = normaliseAddress(input.email)
      const id = subscriberIdOf(platform, email)
      const known = (await getSubscriber(platform, id))?.value
      const subscriber = input.confirmed
        ? await addConfirmed(platform, { ...input, email }, known)
        : await ask(platform, { ...input, email }, known)
      return c.json(publicSubscriber(subscriber, platform.settings), known ? 200 : 201)
    },
  }),
  ...listRoutes,
  apiRoute({
    method: 'get',
    path: '/api/v1/subscribers/:id',
    summary: 'One reader',
    scope: 'readers:read',
    answers: {
      200: { description: 'The reader', content: json(subscriberSchema) },
      404: refusals[404],
    },
    async handle(c, platform) {
      return c.json(publicSubscriber(await readerOf(c, platform), platform.settings))
    },
  }),
  apiRoute({
    method: 'patch',
    path: '/api/v1/subscribers/:id',
    summary: 'Changes what is named; `pausedUntil: null` ends a pause',
    scope: 'readers:write',
    body: json(changeSchema),
    answers: {
      200: { description: 'The reader as they stand now', content: json(subscriberSchema) },
      ...refusals,
    },
    async handle(c, platform) {
      const subscriber = await readerOf(c, platform)
      const input = check(changeSchema, await jsonBody(c))
      return c.json(publicSubscriber(await change(platform, subscriber, input), platform.settings))
    },
  }),
  apiRoute({
    method: 'delete',
    path: '/api/v1/subscribers/:id',
    summary: 'Erases a reader: what stays is the id, so that no import brings them back',
    scope: 'readers:write',
    answers: { 204: { description: 'Erased' }, 404: refusals[404] },
    async handle(c, platform) {
      const { id } = await readerOf(c, platform)
      await eraseSubscriber(platform, id)
      return c.body(null, 204)
    },
  }),
]

async function readerOf(c: Context, platform: Platform): Promise<Subscriber> {
  const id = c.req.param('id') ?? ''
  const found = isSubscriberId(id) ? await getSubscriber(platform, id) : undefined
  if (!found) throw notFound('This reader')
  return found.value
}

type Wish = v.InferOutput<typeof newReaderSchema>

async function preferencesFrom(
  platform: Platform,
  input: Omit<Wish, 'email'>,
  current?: Preferences,
): Promise<Preferences> {
  const { settings } = platform
  return checkPreferences(input, {
    settings,
    categories: await listCategories(platform),
    ...(current ? { current } : {}),
  })
}

/** Without proof the address itself is asked, at most once a day. A reader who is known stays as they are. */
async function ask(
  platform: Platform,
  input: Wish,
  known: Subscriber | undefined,
): Promise<Subscriber> {
  const preferences = await preferencesFrom(platform, input)
  const { subscriberId } = await requestSubscription(platform, {
    email: input.email,
    preferences,
    consent: { source: 'api', ...proofTexts(input.consent) },
  })
  if (known && known.state !== 'pending') return known
  const request = await latestRequest(platform, subscriberId)
  const pending = request ? await keepPending(platform, subscriberId, request) : known
  if (!pending) throw changedMeanwhile('This reader')
  return pending
}

async function addConfirmed(
  platform: Platform,
  input: Wish,
  known: Subscriber | undefined,
): Promise<Subscriber> {
  const { consent } = input
  const at = consent && readInstant(consent.at)
  if (!at) {
    throw invalid(
      'subscriber.consent',
      'A confirmed reader needs proof: `consent: {at, from?, text?}` with the instant of the consent. Without proof leave out `confirmed`, and the address is asked.',
      {
        errors: [
          {
            path: 'consent.at',
            message: 'must be an instant such as `2026-03-02T08:00:00Z`, or a date',
          },
        ],
      },
    )
  }
  if (at.getTime() > platform.now().getTime() + 24 * 60 * 60 * 1000) {
    throw invalid('subscriber.consent', 'The consent lies in the future. Send its true instant.')
  }
  if (known && isReader(known)) {
    const wanted = await preferencesFrom(platform, input, preferencesOf(known, platform.settings))
    return (await changePreferences(platform, known.id, wanted)) ?? known
  }
  const preferences = await preferencesFrom(platform, input)
  const outcome = await addByProof(platform, input.email, preferences, {
    at: at.toISOString(),
    source: consent.source ?? 'api',
    ...proofTexts(consent),
  })
  if (outcome.status === 'left') {
    throw invalid(
      'subscriber.left',
      'This reader left, and the consent is not later. Leave out `confirmed` to ask them.',
    )
  }
  if (outcome.status === 'suppressed') {
    throw invalid(
      'subscriber.suppressed',
      'No mail may go to this address: it bounced, complained or was erased (`subscribers show` says which). Who was erased can subscribe again themselves; anyone else, with another address.',
    )
  }
  return outcome.subscriber
}

function proofTexts(consent: Wish['consent']) {
  return {
    ...(consent?.from === undefined ? {} : { from: consent.from }),
    ...(consent?.text === undefined ? {} : { text: consent.text }),
  }
}

async function change(
  platform: Platform,
  subscriber: Subscriber,
  input: v.InferOutput<typeof changeSchema>,
): Promise<Subscriber> {
  const { id } = subscriber
  const { state, pausedUntil, ...fields } = input
  if (!isReader(subscriber)) {
    throw invalid(
      'subscriber.state',
      `This reader is ${subscriber.state}, and only the choices of a confirmed one can be changed. ${
        subscriber.state === 'suppressed'
          ? 'The `reason` says why; who was erased can subscribe again themselves.'
          : '`POST /api/v1/subscribers` with the address asks them by mail.'
      }`,
    )
  }
  const end = pausedUntil ? readInstant(pausedUntil, subscriber.timeZone) : undefined
  if (typeof pausedUntil === 'string' && !(end && end > platform.now())) {
    throw invalid(
      'subscriber.pausedUntil',
      'The end of a pause must be an instant to come such as `2026-05-01T00:00:00Z`, or a date.',
    )
  }
  let changed: Subscriber | undefined = subscriber
  if (Object.keys(fields).length > 0) {
    const wanted = await preferencesFrom(
      platform,
      fields,
      preferencesOf(subscriber, platform.settings),
    )
    changed = await changePreferences(platform, id, wanted)
  }
  if (state === 'unsubscribed') changed = await unsubscribe(platform, id)
  else if (end) changed = await pauseUntil(platform, id, end)
  else if (pausedUntil === null || state === 'confirmed') changed = await resume(platform, id)
  return changed ?? subscriber
}
