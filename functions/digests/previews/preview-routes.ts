import * as v from 'valibot'
import { type ApiRoute, apiRoute, check, jsonBody } from '../../api/api.ts'
import { instantSchema } from '../../api/instant-schema.ts'
import { notFound, ServiceError } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import { sizeOf } from '../runs/audience.ts'
import { estimateSchema } from '../runs/run-view.ts'
import { type Preview, preview } from './preview.ts'
import type { TestMail } from './test-mail.ts'

const testSchema = v.object({
  id: v.pipe(v.string(), v.description('Its delivery, as logs name it.')),
  state: v.pipe(
    v.picklist(['waiting', 'sending', 'sent', 'unclear', 'not-sent']),
    v.description('`unclear`: the mail server did not say; it may have gone out.'),
  ),
  reason: v.optional(v.string()),
})
const previewSchema = v.strictObject({
  categories: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(1000))), v.maxLength(500))),
  cadence: v.optional(v.pipe(v.string(), v.maxLength(20))),
  at: v.optional(instantSchema),
  locale: v.optional(v.pipe(v.string(), v.maxLength(35))),
  to: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  post: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(64),
      v.description('Shows this post as a letter instead, drafts too.'),
    ),
  ),
})
const previewAnswer = v.object({
  subject: v.string(),
  html: v.string(),
  text: v.string(),
  eml: v.pipe(v.string(), v.description('The whole message, base64.')),
  posts: v.number(),
  isSample: v.pipe(v.boolean(), v.description('Nothing is new: the newest posts stand in.')),
  audience: v.pipe(
    v.object({ readers: v.number(), isAtLeast: v.boolean(), estimate: estimateSchema }),
    v.description('How many readers it would go to at most, and how long that would take.'),
  ),
  test: v.optional(v.pipe(testSchema, v.description('With `to`: the test mail.'))),
})

/** What would be mailed, to be looked at and tried on one address. */
export const previewRoutes: ApiRoute[] = [
  apiRoute({
    method: 'post',
    path: '/api/v1/digests/preview',
    summary:
      'Shows the digest that a reader with these choices would get, or a post as a letter. Changes nothing.',
    scope: 'runs:write',
    body: { 'application/json': previewSchema },
    answers: {
      200: {
        description:
          'The mail; with `to` it is mailed there too, marked as a test: at once in one process, elsewhere by a job, which `test` names.',
        content: { 'application/json': previewAnswer },
      },
    },
    async handle(c, platform) {
      const { to, ...wanted } = check(previewSchema, await jsonBody(c))
      if (to === undefined) return c.json(await viewOf(platform, await preview(platform, wanted)))
      const { askForTest, getTest, newTestId } = await import('./test-mail.ts')
      const id = newTestId()
      const shown = await preview(platform, wanted, { to, deliveryId: id })
      await platform.settled(await askForTest(platform, id, { ...wanted, to }))
      const test = (await getTest(platform, id)) ?? { id, state: 'waiting' }
      if (test.state === 'not-sent') throw notSent(test)
      return c.json({ ...(await viewOf(platform, shown)), test })
    },
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/digests/tests/:id',
    summary: 'Shows whether a test mail has gone out, for an hour after it was asked for.',
    scope: 'runs:read',
    answers: {
      200: { description: 'The test mail.', content: { 'application/json': testSchema } },
    },
    async handle(c, platform) {
      const { getTest } = await import('./test-mail.ts')
      const test = await getTest(platform, c.req.param('id') ?? '')
      if (!test) throw notFound('A test mail of this id, of the last hour,')
      return c.json(test)
    },
  }),
]

async function viewOf(
  platform: Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>,
  { eml, audience, ...shown }: Preview,
) {
  const size = await sizeOf(platform, audience)
  return { ...shown, eml: Buffer.from(eml).toString('base64'), audience: size }
}

function notSent({ reason = 'no reason was given' }: TestMail): ServiceError {
  return new ServiceError(
    502,
    'mail.not-sent',
    `The test was not mailed: ${reason.replace(/\.$/, '')}. Check the mail settings with \`broadsheet doctor\`, then try again.`,
  )
}
