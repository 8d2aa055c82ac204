import { evidenceDays } from '../../functions/digests/feedback/evidence.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { type Kind, kinds, type Tally } from './meter.ts'
import { postsADay } from './metered-day.ts'
import {
  essentialsUsd,
  type Price,
  type PriceName,
  pricedOn,
  pricedRegion,
  priceNames,
  prices,
  usdOf,
} from './prices.ts'
import {
  assumed,
  type Counted,
  monthOf,
  type ScenarioName,
  scenarios,
  sendEventsOf,
  stack,
} from './scenarios.ts'

const names = Object.keys(scenarios) as ScenarioName[]

/** The lines of the bill, each the sum of some prices. */
const groups: readonly (readonly [string, readonly PriceName[]])[] = [
  ['SES, à la carte', ['ses.mail']],
  ['DynamoDB: reads and writes', ['dynamodb.write', 'dynamodb.read']],
  ['DynamoDB: what is kept, and its recovery', ['dynamodb.gb', 'dynamodb.recovery']],
  ['Lambda', ['lambda.call', 'lambda.gbs']],
  ['SQS', ['sqs.request']],
  ['SNS', ['sns.publish']],
  ['S3', ['s3.put', 's3.get', 's3.gb']],
  ['CloudWatch: alarms, metrics, logs', ['cloudwatch.alarm', 'cloudwatch.metric', 'logs.gb']],
  ['EventBridge Scheduler', ['scheduler.call']],
  ['CloudFront', ['cloudfront.request', 'cloudfront.gb']],
]

const countedNames: Record<Kind, string> = {
  'dynamodb.read': 'DynamoDB read units',
  'dynamodb.write': 'DynamoDB write units',
  'dynamodb.keptBytes': 'bytes kept in the table',
  's3.get': 'S3 GET',
  's3.put': 'S3 PUT and LIST',
  's3.keptBytes': 'bytes kept in the bucket',
  'sqs.send': 'SQS requests that send',
  'sqs.message': 'messages in them',
  'ses.mail': 'mails',
  'log.bytes': 'bytes logged',
}

/** `docs/cost.md`, from `counts.json`: counts times prices, and nothing else. */
export function costPage(counts: Counted): string {
  const months = Object.fromEntries(names.map((name) => [name, monthOf(name, counts)])) as Record<
    ScenarioName,
    Record<PriceName, number>
  >
  const sum = (name: ScenarioName, of: readonly PriceName[], isFreeCounted = false) =>
    of.reduce((usd, price) => usd + usdOf(price, months[name][price], isFreeCounted), 0)
  const essentialsMore = (name: ScenarioName) =>
    essentialsUsd(months[name]['ses.mail']) - sum(name, ['ses.mail'])
  const total = (name: ScenarioName) => sum(name, priceNames)
  const row = (label: string, of: (name: ScenarioName) => string) => [label, ...names.map(of)]
  const bold = (text: string) => `**${text}**`

  const bill = table(
    ['A month, US dollars', ...names.map((name) => scenarios[name].name)],
    [
      ...groups.map(([label, of]) => row(label, (name) => dollars(sum(name, of)))),
      row(bold('Total, SES à la carte'), (name) => bold(dollars(total(name)))),
      row(bold('Total, SES Essentials'), (name) =>
        bold(dollars(total(name) + essentialsMore(name))),
      ),
      row('Without SES', (name) => dollars(total(name) - sum(name, ['ses.mail']))),
      row('Total à la carte, less what is free for good', (name) =>
        dollars(sum(name, priceNames, true)),
      ),
      row('Of that for `Send` events', (name) => dollars(sendEventsUsd(name, counts))),
    ],
  )

  const each: readonly (readonly [string, Tally])[] = [
    ['a quiet minute', counts.tick],
    ['a post', counts.post],
    ['a mail', counts.mail],
    ['its event', counts.event],
    ['a delivery job', counts.job],
  ]
  const counted = table(
    ['Counted for', ...each.map(([label]) => label)],
    kinds.map((kind) => [countedNames[kind], ...each.map(([, tally]) => figure(tally[kind]))]),
  )

  const quantities = table(
    ['Quantity a month', ...names.map((name) => scenarios[name].name), 'Price', 'Free a month'],
    priceNames.map((price) => [
      `${prices[price].unit}${isFromMemory(price) ? ' (m)' : ''}`,
      ...names.map((name) => figure(months[name][price])),
      priceText(price),
      freeText(price),
    ]),
  )

  const pace = (['small', 'large'] as const).map((name) => {
    const { reads, writes } = counts.pace[name]
    return `${figure(writes)} write and ${figure(reads)} read units a mail at ${scenarios[name].mailsASecond} mails a second`
  })
  const large = months.large
  const shareOf = (of: readonly PriceName[]) =>
    `${Math.round((100 * sum('large', of)) / total('large'))} %`
  const { runsDays } = defaultSettings.keep
  const kept = sum('large', ['dynamodb.gb', 'dynamodb.recovery'])

  return `# What it costs on AWS

Calls are counted; prices are of ${pricedOn}, ${pricedRegion}. SES's and the Scheduler's come from AWS's price
lists, the others and what is free from memory (marked \`(m)\` below). Nobody has had a bill yet: look
at the prices of your region before you rely on a figure. \`npm run test:aws\` counts again and fails when a
count differs by more than 5 %; \`npm run cost\` writes this page anew.

${bill}

The month has 30 days and ${postsADay} posts a day, each about 2 kB in one of four categories; not the idle one.
Everybody reads everything, daily at one hour. SES's quota is ${scenarios.small.mailsASecond} mails a second for 10,000 readers and
${scenarios.large.mailsASecond} for 1,000,000. Storage is what it is once it no longer grows: ${runsDays} days of deliveries
(\`keep.runsDays\`), twelve months of posts.

## Where the money goes

- **Mails.** SES is ${shareOf(['ses.mail'])} of a million mails a day. New accounts begin on _Essentials_; à la carte is
  \`aws sesv2 put-account-pricing-attributes --plan NONE\`.
- **The ledger.** A delivery keeps ${figure(counts.mail['dynamodb.keptBytes'])} bytes for ${runsDays} days (\`keep.runsDays\`), its event ${figure(counts.event['dynamodb.keptBytes'])} for ${evidenceDays}: ${dollars(kept)} dollars
  a month with a million mails a day.
- **\`Send\` events** prove that SES took a mail whose answer got lost. \`-c sendEvents=false\` saves the line above,
  and more deliveries end as \`unknown\` after a fault.
- **Waiting.** Functions that deliver wait for their share of SES's quota, and waiting is paid by the second:
  with a low quota \`-c mailWorkers=2\` and \`-c jobsMemory=512\` each save up to half of it.
- **Idle**, it is alarms, metrics and the polling of queues; most of it is free in an account that
  uses little else.

What makes it dear, and is not in the stack: a NAT gateway (32 dollars a month and more), VPC endpoints, provisioned
concurrency, KMS keys of your own, WAF, SES's Virtual Deliverability Manager or dedicated addresses, and
\`maxConcurrency\` on further queues, which keeps five pollers awake on each.

## What is counted

One day on test servers, with the functions' own code and the real SDK, every call counted: DynamoDB in write units of 1 kB
(index writes included) and read units of 4 kB, strongly consistent but for the index. 48 hours of posts are in the feeds. A
mail is the difference between two runs of different size. A delivery job is what remains of a run.

${counted}

Keeping to the quota of SES is counted apart, on a simulated clock:

${pace.map((text) => `- ${text}`).join('\n')}

A job that delivers looks four times a second whether its run goes on: three read units.

## Quantities and prices

${quantities}

## Calculated and assumed

- Lambda's pollers, by AWS's documentation: five on the mail lane always (it has \`maxConcurrency\`), two on
  each of the other ${stack.quietQueues} queues, a long poll each 20 s. Each message is received and deleted alone, the dearest case.
- Delivering: mails by 96 % of the quota, by ${scenarios.small.functions} functions at a time for 10,000 readers and ${scenarios.large.functions} for 1,000,000, each job ten
  seconds at most.
- Assumed durations: a tick ${assumed.tickSeconds} s, a request ${assumed.webSeconds} s, a job of a post ${assumed.jobSeconds} s, an event ${assumed.feedbackSeconds} s. Memory as in \`infra/\`.
- Lambda's own lines in the log: ${assumed.logBytesACall} bytes a call.
- CloudFront: ${figure(large['cloudfront.request'])} requests a month of ${figure(assumed.requestBytes / 1000)} kB for a million readers, a tenth for 10,000; ${percent(assumed.missShare)} of them go on to the bucket
  and ${percent(assumed.webShare)} to the web function.

## What is not in it

Tax; the domain and its zone (0.50 dollars a zone); readers who subscribe, change and leave, and bounces; edits and imports;
retries after faults; the records of posts and readers themselves; log queries; data sent out other than by
CloudFront; alarm mails; S3 requests of \`edge=none\`. In eu-central-1 DynamoDB is about a fifth dearer.
`
}

function sendEventsUsd(name: ScenarioName, counts: Counted): number {
  const quantities = sendEventsOf(name, counts)
  return priceNames.reduce((usd, price) => usd + usdOf(price, quantities[price] ?? 0), 0)
}

function isFromMemory(name: PriceName): boolean {
  return (prices[name] as Price).isFromMemory === true
}

function priceText(name: PriceName): string {
  const { usd, per }: Price = prices[name]
  return `${usd}${per === 1 ? '' : per === 1000 ? ' / 1,000' : ' / million'}`
}

function freeText(name: PriceName): string {
  const { free }: Price = prices[name]
  return free === undefined ? '–' : figure(free)
}

const percent = (share: number) => `${figure(100 * share)} %`

function dollars(usd: number): string {
  return usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** Three digits that count: more would claim what nobody knows. */
function figure(n: number): string {
  return n.toLocaleString('en', { maximumSignificantDigits: 3 })
}

/** Markdown, first column left, the others right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((cells) => (cells[i] ?? '').length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}
