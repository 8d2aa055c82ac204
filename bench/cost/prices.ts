/** When these prices were last looked at, and where. */
export const pricedOn = '2026-11-24'
export const pricedRegion = 'us-east-1'

export interface Price {
  /** What one of it is, for people. */
  unit: string
  usd: number
  /** So many of `unit` for `usd`. */
  per: number
  /** So many a month that every account has for nothing, for good. */
  free?: number
  /** Known by memory alone: look before you rely on it. */
  isFromMemory?: true
}

const million = 1_000_000

/**
 * SES from AWS's price list of 2026-07-22 (the collection `api-evangelist/amazon-ses`), EventBridge
 * Scheduler from AWS's price list. The others, and what is free for good, are from memory.
 */
export const prices = {
  'ses.mail': { unit: 'mails, à la carte', usd: 0.1, per: 1000 },
  'dynamodb.write': { unit: 'write units', usd: 0.625, per: million, isFromMemory: true },
  'dynamodb.read': { unit: 'read units', usd: 0.125, per: million, isFromMemory: true },
  'dynamodb.gb': { unit: 'GB of records', usd: 0.25, per: 1, free: 25, isFromMemory: true },
  'dynamodb.recovery': {
    unit: 'GB with point-in-time recovery',
    usd: 0.2,
    per: 1,
    isFromMemory: true,
  },
  's3.put': { unit: 'PUT and LIST', usd: 5, per: million, isFromMemory: true },
  's3.get': { unit: 'GET', usd: 0.4, per: million, isFromMemory: true },
  's3.gb': { unit: 'GB of objects', usd: 0.023, per: 1, isFromMemory: true },
  'sqs.request': {
    unit: 'SQS requests',
    usd: 0.4,
    per: million,
    free: million,
    isFromMemory: true,
  },
  'sns.publish': {
    unit: 'SNS messages',
    usd: 0.5,
    per: million,
    free: million,
    isFromMemory: true,
  },
  'lambda.call': {
    unit: 'invocations',
    usd: 0.2,
    per: million,
    free: million,
    isFromMemory: true,
  },
  'lambda.gbs': {
    unit: 'GB-s (arm64)',
    usd: 13.33,
    per: million,
    free: 400_000,
    isFromMemory: true,
  },
  'scheduler.call': { unit: 'scheduled calls', usd: 1, per: million, free: 14 * million },
  'logs.gb': { unit: 'GB of logs', usd: 0.5, per: 1, free: 5, isFromMemory: true },
  'cloudwatch.alarm': { unit: 'alarms', usd: 0.1, per: 1, free: 10, isFromMemory: true },
  'cloudwatch.metric': { unit: 'own metrics', usd: 0.3, per: 1, free: 10, isFromMemory: true },
  'cloudfront.request': {
    unit: 'requests to CloudFront',
    usd: 1,
    per: million,
    free: 10 * million,
    isFromMemory: true,
  },
  'cloudfront.gb': {
    unit: 'GB from CloudFront',
    usd: 0.085,
    per: 1,
    free: 1000,
    isFromMemory: true,
  },
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof prices
export const priceNames = Object.keys(prices) as PriceName[]

/** SES's plan of accounts new since 2026-07-21, dollars for a thousand mails up to so many a month. */
const essentials = [
  { upTo: 10 * million, usd: 0.16 },
  { upTo: 100 * million, usd: 0.14 },
  { upTo: Number.POSITIVE_INFINITY, usd: 0.11 },
]

export function essentialsUsd(mails: number): number {
  let below = 0
  let usd = 0
  for (const step of essentials) {
    usd += (Math.max(0, Math.min(mails, step.upTo) - below) / 1000) * step.usd
    below = step.upTo
  }
  return usd
}

/** Dollars for a month's quantity, without or with what is free. */
export function usdOf(name: PriceName, quantity: number, isFreeCounted = false): number {
  const { usd, per, free = 0 }: Price = prices[name]
  return (Math.max(0, quantity - (isFreeCounted ? free : 0)) / per) * usd
}
