import { everything, objectKeys, recordKeys, urlPaths } from '../../functions/keys.ts'
import { findIdentities, identityHash } from '../../functions/posts/identity.ts'
import { answerOf } from '../connection.ts'
import { logsOf } from '../doctor/aws-service.ts'
import { CliError, exitCodes } from '../exit.ts'
import type { RunView } from '../run-table.ts'
import { atSite, type SmokeTest, StepFault, type StepOutcome, until } from './step.ts'

/**
 * The probe is always the same post: a feed reader that has seen it once is told of no new one, and
 * one that was left behind by a killed test is taken back by the next.
 */
const probe = { id: 'broadsheet-smoke-test', slug: 'broadsheet-smoke-test' }
const keyName = 'smoke test'

/** The site answers, with the version that was deployed. */
export async function siteAnswers(test: SmokeTest): Promise<StepOutcome> {
  const response = await atSite(test, '/healthz')
  if (!response.ok) {
    throw new StepFault(
      `${test.stack.address}/healthz answers with ${response.status}.`,
      logsOf(test.stack, 'Web'),
    )
  }
  const { version } = (await response.json()) as { version?: string }
  return version === test.platform.version
    ? `${test.stack.address} runs version ${version}`
    : `${test.stack.address} runs version ${version}, here is ${test.platform.version}`
}

/** Publishes the probe as a publisher's script does: at the site, with a key made for it. Mails nobody. */
export async function publishProbe(test: SmokeTest): Promise<StepOutcome> {
  await revokeKey(test)
  const { key } = await answerOf<{ key: string }>(
    await test.connection.fetch('/api/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ name: keyName, scopes: ['posts:write'] }),
    }),
  )
  const response = await atSite(test, '/api/v1/posts', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...probe,
      title: 'A test of this service',
      content: `This post tests the service and is taken back in a moment. Its mark is ${test.mark}.`,
      // Not a moment too late for the service's clock, or it would wait for its date.
      published: new Date(test.platform.now().getTime() - 60_000).toISOString(),
      mail: 'none',
    }),
  })
  if (!response.ok) {
    const { detail = '' } = (await response.json().catch(() => ({}))) as { detail?: string }
    throw new StepFault(
      `Publishing was answered with ${response.status}. ${detail}`.trim(),
      logsOf(test.stack, 'Web'),
    )
  }
  const { outcome, mailed } = (await response.json()) as { outcome: string; mailed: boolean }
  if (mailed) throw new StepFault('The probe would be mailed.', 'npx broadsheet runs pause')
  return `${outcome}, mailed to nobody`
}

/** The deployed jobs have rendered the feed that holds it. */
export async function feedIsRendered(test: SmokeTest): Promise<StepOutcome> {
  const key = objectKeys.feed(everything, 'rss.xml')
  await until(
    test,
    async () => {
      const found = await test.platform.objects.get(key)
      return new TextDecoder().decode(found?.body).includes(test.mark) || undefined
    },
    {
      seconds: 120,
      every: 2,
      otherwise: () =>
        new StepFault(
          'The feed was not rendered with it within two minutes.',
          `${logsOf(test.stack, 'Jobs')} and npx broadsheet doctor --stack ${test.stack.name}`,
        ),
    },
  )
  return key
}

/** Feed readers see it: an edge may show what it has for as long as the feed says, five minutes. */
export async function feedIsServed(test: SmokeTest): Promise<StepOutcome> {
  const path = urlPaths.feed(everything, 'rss.xml')
  await until(
    test,
    async () => {
      const response = await atSite(test, path)
      return (await response.text()).includes(test.mark) || undefined
    },
    {
      seconds: 420,
      every: 5,
      otherwise: () =>
        new StepFault(
          'The feed at the site does not show it within seven minutes, though it is rendered.',
          `curl -i ${test.stack.address}${path} (what CloudFront says in x-cache, and how old it is in age)`,
        ),
    },
  )
  return `${test.stack.address}${path}`
}

/** The clock comes by itself. */
export async function clockTicks(test: SmokeTest): Promise<StepOutcome> {
  const { records, now } = test.platform
  const at = await until(
    test,
    async () => {
      const last = (await records.get<{ at: string }>(recordKeys.clock))?.value.at
      return last !== undefined && now().getTime() - Date.parse(last) < 120_000 ? last : undefined
    },
    {
      seconds: 180,
      every: 5,
      otherwise: () =>
        new StepFault('No tick came for three minutes.', logsOf(test.stack, 'Clock')),
    },
  )
  return `the last tick was at ${at}`
}

/** The books of the newest runs: what became of the readers of each is as many as it had. */
export async function booksBalance({ connection, stack }: SmokeTest): Promise<StepOutcome> {
  const { items } = await answerOf<{ items: RunView[] }>(
    await connection.fetch('/api/v1/runs?limit=20', { method: 'GET' }),
  )
  for (const { id, counts } of items) {
    const { candidates, ...ends } = counts
    const sum = Object.values(ends).reduce((all, count) => all + count, 0)
    if (sum !== candidates) {
      throw new StepFault(
        `The run ${id} has ${candidates} readers and tells of ${sum}.`,
        `npx broadsheet runs show ${id} --stack ${stack.name}`,
      )
    }
  }
  return items.length === 0 ? 'no run yet' : `those of ${items.length} runs balance`
}

/** Takes the probe and its key back. Repeatable, also when neither was ever made. */
export async function takeProbeBack(test: SmokeTest): Promise<StepOutcome> {
  await revokeKey(test)
  const [id] = await findIdentities(test.platform, [identityHash({ kind: 'id', value: probe.id })])
  if (id === undefined) return 'nothing was left'
  await remove(test, `/api/v1/posts/${id}`)
  return 'withdrawn, its key revoked'
}

const revokeKey = (test: SmokeTest) => remove(test, `/api/v1/keys/${encodeURIComponent(keyName)}`)

/** Absence is as good. */
export async function remove({ connection }: SmokeTest, path: string): Promise<void> {
  try {
    await answerOf(await connection.fetch(path, { method: 'DELETE' }))
  } catch (error) {
    if (!(error instanceof CliError) || error.exit !== exitCodes.notFound) throw error
  }
}
