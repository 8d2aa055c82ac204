import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
} from '@aws-sdk/client-cloudwatch'
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { mostAge } from '../../functions/aws/most-age.ts'
import { type Restoring, readClock } from '../../functions/clock-mark.ts'
import type { RecordStore } from '../../functions/platform.ts'
import { readSending } from '../../functions/sending.ts'
import type { DeployedStack } from '../stack/read-stack.ts'
import { type Check, fault, ok, warning } from './check.ts'

/** Whether the deployed site answers, and stands where the configuration says. */
export async function checkSite(
  { address }: Pick<DeployedStack, 'address'>,
  /** `site.baseUrl` as configured; absent when nothing is. */
  wanted: string | undefined,
): Promise<Check[]> {
  const checks = [await healthCheck(address)]
  if (wanted !== undefined && wanted !== address) {
    checks.push(
      warning(
        'address',
        `broadsheet.yaml says ${wanted}, but feeds and mails name ${address}.`,
        'Give the deployment a certificate for the domain: docs/aws.md, A domain.',
      ),
    )
  }
  return checks
}

async function healthCheck(address: string): Promise<Check> {
  const fix = `See what it answers: curl -i ${address}/healthz`
  try {
    const response = await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(10_000) })
    await response.body?.cancel()
    if (response.ok) return ok('site', `${address} answers`)
    return fault('site', `${address} answers with ${response.status}.`, fix)
  } catch {
    return fault('site', `${address} does not answer.`, fix)
  }
}

/** What waits in the queues and since when; what was given up on. */
export async function checkQueues(
  clients: { sqs: SQSClient; cloudwatch: CloudWatchClient },
  stack: DeployedStack,
  now: Date,
): Promise<Check[]> {
  const lanes = ['urgent', 'work', 'mail'] as const
  const [ages, ...counts] = await Promise.all([
    agesOf(
      clients.cloudwatch,
      lanes.map((lane) => stack.queues[lane]),
      now,
    ),
    ...lanes.map((lane) => waitingIn(clients.sqs, stack.queues[lane])),
  ])
  const [dead, deadEvents] = await Promise.all([
    waitingIn(clients.sqs, stack.queues.dead),
    waitingIn(clients.sqs, stack.eventQueues.dead),
  ])
  return [
    ...lanes.map((lane, i) => {
      const age = ages[i] ?? 0
      const most = lane === 'mail' ? Number.POSITIVE_INFINITY : mostAge[lane]
      const message = `${counts[i] ?? 0} waiting${age > 0 ? `, the oldest for ${spell(age)}` : ''}`
      if (age < most) return ok(`queue ${lane}`, message)
      return fault(`queue ${lane}`, `${message}: jobs are not done.`, logsOf(stack, 'Jobs'))
    }),
    deadCheck('dead letters', dead, stack.queues.dead, stack, 'Jobs'),
    deadCheck('dead events', deadEvents, stack.eventQueues.dead, stack, 'Feedback'),
  ]
}

function deadCheck(
  name: string,
  count: number,
  queueUrl: string,
  stack: DeployedStack,
  doorway: Doorway,
): Check {
  if (count === 0) return ok(name, 'none')
  const arn = `arn:aws:sqs:${stack.region}:${stack.account}:${nameOf(queueUrl)}`
  return fault(
    name,
    `${count} messages failed five times.`,
    `See why: ${logsOf(stack, doorway)} When it is mended, put them back: aws sqs start-message-move-task --source-arn ${arn}`,
  )
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
async function waitingIn(client: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages'],
    }),
  )
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0)
}

/** The newest ages within a quarter of an hour, in seconds. SQS counts them for queues in use alone. */
async function agesOf(
  client: CloudWatchClient,
  queueUrls: readonly string[],
  now: Date,
): Promise<number[]> {
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(now.getTime() - 15 * 60_000),
      EndTime: now,
      ScanBy: 'TimestampDescending',
      MetricDataQueries: queueUrls.map((url, i) => ({
        Id: `q${i}`,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/SQS',
            MetricName: 'ApproximateAgeOfOldestMessage',
            Dimensions: [{ Name: 'QueueName', Value: nameOf(url) }],
          },
          Period: 60,
          Stat: 'Maximum',
        },
      })),
    }),
  )
  return queueUrls.map(
    (_, i) => MetricDataResults.find(({ Id }) => Id === `q${i}`)?.Values?.[0] ?? 0,
  )
}

/** The clock comes each minute; so many seconds without it are a fault. */
const mostTickAge = 300

/** When the clock came last, and whether sending is paused. */
export async function checkClock(
  records: RecordStore,
  stack: DeployedStack,
  now: Date,
): Promise<Check[]> {
  const [last, sending] = await Promise.all([readClock({ records }), readSending({ records })])
  const { at, restoring } = last?.value ?? {}
  const checks = [restoring ? restoreCheck(restoring, stack) : tickCheck(at, stack, now)]
  if (sending.paused) {
    checks.push(
      warning(
        'sending',
        `All sending is paused since ${sending.since ?? 'some time'}.`,
        `npx broadsheet runs resume --stack ${stack.name}`,
      ),
    )
  }
  return checks
}

function restoreCheck({ of }: Restoring, { name }: DeployedStack): Check {
  return fault(
    'last tick',
    `The clock stands until the backup of ${of} is wholly restored.`,
    `If that is not under way, let it go on: npx broadsheet restore DIR --stack ${name}`,
  )
}

function tickCheck(at: string | undefined, stack: DeployedStack, now: Date): Check {
  const fix = logsOf(stack, 'Clock')
  if (at === undefined) return fault('last tick', 'There was none yet: nothing becomes due.', fix)
  const seconds = (now.getTime() - Date.parse(at)) / 1000
  const message = `${spell(Math.max(0, seconds))} ago`
  if (seconds < mostTickAge) return ok('last tick', message)
  return fault('last tick', `${message}: nothing becomes due.`, fix)
}

/** The alarms of the stack that ring now. */
export async function checkAlarms(
  client: CloudWatchClient,
  { name }: Pick<DeployedStack, 'name'>,
): Promise<Check[]> {
  const { MetricAlarms = [] } = await client.send(
    new DescribeAlarmsCommand({
      AlarmNamePrefix: `${name}-Alarms`,
      StateValue: 'ALARM',
      MaxRecords: 100,
    }),
  )
  if (MetricAlarms.length === 0) return [ok('alarms', 'none rings')]
  return MetricAlarms.map(({ AlarmName = '', AlarmDescription = 'docs/aws.md' }) =>
    fault('alarm', `${AlarmName} rings.`, `Do what ${AlarmDescription} says.`),
  )
}

type Doorway = 'Jobs' | 'Clock' | 'Feedback'

/** The command that shows a function's log; CloudFormation chose the end of its name. */
export function logsOf({ name }: Pick<DeployedStack, 'name'>, doorway: Doorway | 'Web'): string {
  return `aws logs tail "$(aws logs describe-log-groups --log-group-name-prefix ${name}-Compute${doorway}Logs --query 'logGroups[0].logGroupName' --output text)" --since 1h`
}

function nameOf(queueUrl: string): string {
  return queueUrl.slice(queueUrl.lastIndexOf('/') + 1)
}

function spell(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} seconds`
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`
  return `${Math.round(seconds / 3600)} hours`
}
