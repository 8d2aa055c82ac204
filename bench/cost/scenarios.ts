import { evidenceDays } from '../../functions/digests/feedback/evidence.ts'
import { rateOf } from '../../functions/mail/quota.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { type Counts, postsADay, readsALook } from './metered-day.ts'
import type { PaceCalls } from './pace-calls.ts'
import type { PriceName } from './prices.ts'

export interface Scenario {
  name: string
  readers: number
  postsADay: number
  /** SES's quota, and how many functions then deliver side by side. */
  mailsASecond: number
  functions: number
  /** Requests of feed readers and browsers a month: assumed. */
  requests: number
}

const none = { readers: 0, postsADay: 0, mailsASecond: 0, functions: 0, requests: 0 }

/** The month: thirty days, one digest a day to each reader. */
export const scenarios = {
  idle: { ...none, name: 'Idle' },
  small: {
    name: '10,000 readers, daily',
    readers: 10_000,
    postsADay,
    mailsASecond: 14,
    functions: 4,
    requests: 5_000_000,
  },
  large: {
    name: '1,000,000 mails a day',
    readers: 1_000_000,
    postsADay,
    mailsASecond: 200,
    functions: 5,
    requests: 50_000_000,
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

/** Everything that was counted. */
export interface Counted extends Counts {
  pace: Record<Exclude<ScenarioName, 'idle'>, PaceCalls>
}

/** What no test server shows. Each is said on the page. */
export const assumed = {
  tickSeconds: 0.15,
  webSeconds: 0.2,
  jobSeconds: 0.5,
  feedbackSeconds: 0.05,
  logBytesACall: 400,
  requestBytes: 15_000,
  /** Of requests to CloudFront: what it has to fetch from the bucket, and from the web function. */
  missShare: 0.05,
  webShare: 0.005,
  /** Read units of a form or a page. */
  readsAWebCall: 10,
}

/** As in `infra/`; a test compares them. */
export const stack = {
  alarms: 12,
  metrics: 2,
  gigabytes: { clock: 0.5, web: 1, jobs: 1, feedback: 0.25 },
  /** Lanes and SES's events. */
  quietQueues: 3,
  mailQueues: 1,
}

const days = 30
const ticks = days * 24 * 60
/** A job delivers for ten seconds at most, and looks four times a second. */
const longestJob = 10
const looksASecond = 4
const chunkReaders = 500
const readerIdBytes = 35
/** Long polls of twenty seconds: five pollers, two once a queue without `maxConcurrency` is quiet. */
const pollsAMonth = { quiet: (2 * days * 86_400) / 20, mail: (5 * days * 86_400) / 20 }
const gb = 1e9
const { runsDays } = defaultSettings.keep
const eventDays = Math.min(runsDays, evidenceDays)

/** A month in quantities of what is priced; storage as it stands once it no longer grows. */
export function monthOf(name: ScenarioName, counts: Counted): Record<PriceName, number> {
  const { readers, requests, mailsASecond, functions, ...scenario }: Scenario = scenarios[name]
  const posts = scenario.postsADay * days
  const mails = readers * days
  const pace = name === 'idle' ? { reads: 0, writes: 0 } : counts.pace[name]

  // Functions wait for their share of the quota, and waiting is paid.
  const sendingSeconds = mails === 0 ? 0 : (mails / rateOf(mailsASecond)) * functions
  const chunks = days * Math.ceil(readers / chunkReaders)
  const jobs = Math.max(chunks, Math.ceil(sendingSeconds / longestJob))
  const rowBytes = counts.mail['dynamodb.keptBytes'] / 2
  // A job that goes on with a chunk reads its rows; on average half of them are there.
  const rowReads = ((jobs - chunks) * (chunkReaders / 2) * rowBytes) / 4096
  const chunkWrites = (mails * readerIdBytes) / 1024
  const looks = sendingSeconds * looksASecond

  const of = (kind: 'dynamodb.read' | 'dynamodb.write' | 's3.get' | 's3.put' | 'log.bytes') =>
    ticks * counts.tick[kind] +
    posts * counts.post[kind] +
    mails * (counts.mail[kind] + counts.event[kind]) +
    jobs * counts.job[kind]
  const webCalls = posts + requests * assumed.webShare
  const postJobs = posts * counts.post['sqs.message']
  const messages = postJobs + jobs
  // In the dearest case each message is received and deleted alone.
  const sqs =
    stack.quietQueues * pollsAMonth.quiet +
    stack.mailQueues * pollsAMonth.mail +
    posts * counts.post['sqs.send'] +
    jobs +
    2 * messages +
    3 * mails
  const calls = ticks + webCalls + messages + mails
  const records =
    ((mails / days) *
      (runsDays * counts.mail['dynamodb.keptBytes'] +
        eventDays * counts.event['dynamodb.keptBytes'])) /
    gb

  return {
    'ses.mail': mails * counts.mail['ses.mail'],
    'dynamodb.write': of('dynamodb.write') + mails * pace.writes + chunkWrites,
    'dynamodb.read':
      of('dynamodb.read') +
      mails * pace.reads +
      looks * readsALook +
      rowReads +
      webCalls * assumed.readsAWebCall,
    'dynamodb.gb': records,
    'dynamodb.recovery': records,
    's3.put': of('s3.put'),
    's3.get': of('s3.get') + requests * assumed.missShare,
    's3.gb': (12 * posts * counts.post['s3.keptBytes']) / gb,
    'sqs.request': sqs,
    'sns.publish': mails,
    'lambda.call': calls,
    'lambda.gbs':
      ticks * assumed.tickSeconds * stack.gigabytes.clock +
      webCalls * assumed.webSeconds * stack.gigabytes.web +
      (postJobs * assumed.jobSeconds + sendingSeconds) * stack.gigabytes.jobs +
      mails * assumed.feedbackSeconds * stack.gigabytes.feedback,
    'scheduler.call': ticks,
    'logs.gb': (of('log.bytes') + calls * assumed.logBytesACall) / gb,
    'cloudwatch.alarm': stack.alarms,
    'cloudwatch.metric': stack.metrics,
    'cloudfront.request': requests,
    'cloudfront.gb': (requests * assumed.requestBytes) / gb,
  }
}

/** What of it is for `Send` events alone: `sendEvents=false` saves that. */
export function sendEventsOf(
  name: ScenarioName,
  counts: Counted,
): Partial<Record<PriceName, number>> {
  const mails = scenarios[name].readers * days
  const records = ((mails / days) * eventDays * counts.event['dynamodb.keptBytes']) / gb
  return {
    'sns.publish': mails,
    'sqs.request': 3 * mails,
    'lambda.call': mails,
    'lambda.gbs': mails * assumed.feedbackSeconds * stack.gigabytes.feedback,
    'logs.gb': (mails * assumed.logBytesACall) / gb,
    'dynamodb.write': mails * counts.event['dynamodb.write'],
    'dynamodb.read': mails * counts.event['dynamodb.read'],
    'dynamodb.gb': records,
    'dynamodb.recovery': records,
  }
}
