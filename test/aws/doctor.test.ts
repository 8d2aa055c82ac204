import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AwsQuestion, checkAws } from '../../cli/doctor/aws.ts'
import type { Check } from '../../cli/doctor/check.ts'
import type { TextRecords } from '../../cli/doctor/mail.ts'
import { recordKeys } from '../../functions/keys.ts'
import { pauseSending } from '../../functions/sending.ts'
import type { ScratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { deployedAccount } from '../support/aws/deployed-account.ts'

let cloud: Awaited<ReturnType<typeof deployedAccount>>
let platform: ScratchAwsPlatform

beforeAll(async () => {
  cloud = await deployedAccount()
})
beforeEach(async () => {
  platform = await cloud.deploy()
})
afterAll(() => cloud.close())

/** Name servers that know a policy, or nothing. */
const names = (texts: Record<string, string> = { '_dmarc.news.example': 'v=DMARC1; p=none' }) => ({
  resolveTxt: async (name: string) => {
    const text = texts[name]
    if (text) return [[text]]
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
  },
})

async function checks(more: Partial<AwsQuestion> = {}) {
  return checkAws({
    stack: 'Test',
    isNamed: true,
    settings: platform.settings,
    dns: names(),
    now: platform.now,
    clients: cloud.clients,
    ...more,
  })
}
const bad = (all: Check[]) => all.filter(({ state }) => state !== 'ok')
const summary = (all: Check[]) => bad(all).map(({ name, state }) => `${name}: ${state}`)

describe('an account and a stack in which all is well', () => {
  it('have nothing to say against them', async () => {
    const all = await checks()
    expect(bad(all)).toEqual([])
    expect(all.map(({ name }) => name)).toEqual([
      'credentials',
      'region',
      'clock',
      'bootstrap',
      'stack',
      'site',
      'SES',
      'sandbox',
      'quota',
      'plan',
      'sender',
      'DKIM',
      'MAIL FROM',
      'DMARC',
      'queue urgent',
      'queue work',
      'queue mail',
      'dead letters',
      'dead events',
      'last tick',
      'alarms',
    ])
  })

  it('are only read', async () => {
    const commands: string[] = []
    for (const client of Object.values(cloud.clients)) {
      // The clients are of five services: what they share is this.
      const { middlewareStack } = client as {
        middlewareStack: CloudFormationClient['middlewareStack']
      }
      middlewareStack.add(
        (next, context) => (args) => {
          commands.push(String(context.commandName))
          return next(args)
        },
        { step: 'initialize', name: 'heard', override: true },
      )
    }
    await checks()
    expect(commands.length).toBeGreaterThan(10)
    expect(commands.filter((name) => !/^(Describe|Get)/.test(name))).toEqual([])
    for (const { middlewareStack } of Object.values(cloud.clients)) middlewareStack.remove('heard')
  })
})

describe('each fault is found, and comes with what repairs it', () => {
  type Spoil = () => unknown
  const ses = (more: object) => () => Object.assign(cloud.account.ses, more)
  const identity = (more: object) => () =>
    Object.assign(cloud.account.identities['news.example'] as object, more)
  const dkim = { SigningEnabled: true, Tokens: ['a', 'b', 'c'] }

  it.each<[string, Spoil, string[], RegExp]>([
    [
      'an account that was never bootstrapped',
      () => delete cloud.account.stacks.CDKToolkit,
      ['bootstrap: fault'],
      /^npx cdk bootstrap$/,
    ],
    [
      'an old bootstrap',
      () => {
        cloud.account.stacks.CDKToolkit = { outputs: { BootstrapVersion: '4' } }
      },
      ['bootstrap: fault'],
      /^npx cdk bootstrap aws:\/\/123456789012\/eu-central-1$/,
    ],
    [
      'a clock that is half an hour behind',
      () => {
        cloud.account.skew = 1800
      },
      ['clock: fault'],
      /timedatectl/,
    ],
    [
      'the sandbox',
      ses({ ProductionAccessEnabled: false }),
      ['sandbox: fault'],
      /^aws sesv2 put-account-details --production-access-enabled .*--website-url http/,
    ],
    [
      'a request to leave it that AWS still looks at',
      ses({ ProductionAccessEnabled: false, Details: { ReviewDetails: { Status: 'PENDING' } } }),
      ['sandbox: fault'],
      /^Wait/,
    ],
    [
      'a quota of nothing',
      ses({ SendQuota: { Max24HourSend: 0, MaxSendRate: 0, SentLast24Hours: 0 } }),
      ['quota: fault'],
      /Service Quotas/,
    ],
    [
      'a day that is used up',
      ses({ SendQuota: { Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 200 } }),
      ['quota: warning'],
      /Service Quotas/,
    ],
    [
      'the dearer plan',
      ses({ PricingAttributes: { CurrentPlan: 'ESSENTIALS' } }),
      ['plan: warning'],
      /^aws sesv2 put-account-pricing-attributes --plan NONE$/,
    ],
    [
      'sending switched off',
      ses({ SendingEnabled: false }),
      ['SES: fault'],
      /put-account-sending-attributes --sending-enabled/,
    ],
    ['an account that AWS stopped', ses({ EnforcementStatus: 'SHUTDOWN' }), ['SES: fault'], /case/],
    [
      'a sender that SES does not know',
      () => delete cloud.account.identities['news.example'],
      ['sender: fault'],
      /^npx cdk deploy -c stack=Test$/,
    ],
    [
      'DNS records that were not made yet',
      identity({
        VerifiedForSendingStatus: false,
        DkimAttributes: { ...dkim, Status: 'PENDING' },
        MailFromAttributes: {
          MailFromDomain: 'mail.news.example',
          MailFromDomainStatus: 'PENDING',
        },
      }),
      ['sender: fault', 'DKIM: fault', 'MAIL FROM: warning'],
      /a\._domainkey\.news\.example CNAME a\.dkim\.amazonses\.com/,
    ],
    [
      'DKIM that SES has given up',
      identity({ DkimAttributes: { ...dkim, Status: 'FAILED' } }),
      ['DKIM: fault'],
      /put-email-identity-dkim-attributes --email-identity news\.example --signing-enabled/,
    ],
    [
      'a return path that SES has given up',
      identity({ MailFromAttributes: { MailFromDomainStatus: 'FAILED' } }),
      ['MAIL FROM: warning'],
      /MX 10 feedback-smtp\.eu-central-1\.amazonses\.com .* Then: aws sesv2 put-email-identity-mail-from/,
    ],
    [
      'a stack that was deployed before its sender was named',
      () => {
        delete cloud.account.stacks.Test?.outputs?.ConfigurationSetName
      },
      ['deployment: fault'],
      /^npx cdk deploy -c stack=Test$/,
    ],
    [
      'a stack that was never finished',
      () => {
        cloud.account.stacks.Test = { status: 'ROLLBACK_COMPLETE' }
      },
      ['stack: fault'],
      /describe-stack-events --stack-name Test/,
    ],
    [
      'a queue that is behind',
      () => {
        const name = platform.queues.urgent.split('/').pop() ?? ''
        cloud.account.ages[name] = 1200
      },
      ['queue urgent: fault'],
      /aws logs tail .*Test-ComputeJobsLogs/,
    ],
    [
      'dead letters',
      () =>
        cloud.clients.sqs.send(
          new SendMessageCommand({ QueueUrl: platform.queues.dead, MessageBody: 'x' }),
        ),
      ['dead letters: fault', 'dead events: fault'],
      /start-message-move-task --source-arn arn:aws:sqs:eu-central-1:123456789012:/,
    ],
    [
      'a clock that stands still',
      () => platform.advance(3 * 3_600_000),
      ['last tick: fault'],
      /ComputeClockLogs/,
    ],
    [
      'a clock that never came',
      () => platform.records.delete(recordKeys.clock),
      ['last tick: fault'],
      /ComputeClockLogs/,
    ],
    [
      'a restore that was broken off',
      () =>
        platform.records.put({
          ...recordKeys.clock,
          value: { restoring: { backup: 'b', of: '2026-03-01T08:00:00Z' } },
        }),
      ['last tick: fault'],
      /broadsheet restore DIR --stack Test$/,
    ],
    [
      'sending that somebody paused',
      () => pauseSending(platform),
      ['sending: warning'],
      /^npx broadsheet runs resume --stack Test$/,
    ],
    [
      'an alarm that rings',
      () => {
        cloud.account.alarms['Test-AlarmsStaleFeed1A2B-3C'] = 'docs/aws.md#stale-feed'
      },
      ['alarm: fault'],
      /docs\/aws\.md#stale-feed/,
    ],
    [
      'a site that does not answer',
      () => cloud.site.serve(async () => new Response('', { status: 502 })),
      ['site: fault'],
      /curl -i http/,
    ],
  ])('%s', async (_, spoil, found, repair) => {
    await spoil()
    const all = await checks()
    expect(summary(all)).toEqual(found)
    expect(bad(all).map(({ fix }) => fix)).toContainEqual(expect.stringMatching(repair))
  })

  it('a domain without a policy, and name servers that do not answer', async () => {
    expect(summary(await checks({ dns: names({}) }))).toEqual(['DMARC: fault'])
    const dns: TextRecords = {
      resolveTxt: async () => {
        throw Object.assign(new Error('timeout'), { code: 'ETIMEOUT' })
      },
    }
    expect(summary(await checks({ dns }))).toEqual(['DNS: warning'])
  })

  it('a sender below a domain that SES and the name servers know is as good as that one', async () => {
    const mail = { ...platform.settings.mail, from: 'news@letters.news.example' }
    const settings = { ...platform.settings, mail }
    const all = await checks({ settings })
    expect(summary(all)).toEqual([])
    expect(all.find(({ name }) => name === 'sender')?.message).toBe(
      'news.example is verified, and so is letters.news.example below it',
    )
    // One of its own goes before.
    cloud.account.identities['letters.news.example'] = { VerifiedForSendingStatus: false }
    expect(summary(await checks({ settings }))).toContain('sender: fault')
  })

  it('a domain of the configuration at which the site does not stand', async () => {
    const all = await checks({ wantedAddress: 'https://news.example' })
    expect(summary(all)).toEqual(['address: warning'])
  })
})

describe('what cannot be asked', () => {
  it('without credentials that AWS takes nothing else is asked', async () => {
    cloud.account.faults['*'] = {
      status: 403,
      code: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
    }
    const [only, ...others] = await checks()
    expect(others).toEqual([])
    expect(only).toMatchObject({
      name: 'credentials',
      state: 'fault',
      fix: expect.stringContaining('aws sts get-caller-identity'),
    })
  })

  it('without a network, nothing', async () => {
    const cloudformation = new CloudFormationClient({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: 'http://127.0.0.1:1',
      maxAttempts: 1,
    })
    const all = await checks({ clients: { ...cloud.clients, cloudformation } })
    expect(summary(all)).toEqual(['AWS: fault'])
    expect(all).toHaveLength(1)
  })

  it('a right that is missing is a warning, and stops no other question', async () => {
    cloud.account.faults.GetAccount = {
      status: 403,
      code: 'AccessDeniedException',
      message:
        'User: arn:aws:iam::123456789012:user/me is not authorized to perform: ses:GetAccount',
    }
    const all = await checks()
    expect(summary(all)).toEqual(['SES: warning'])
    expect(bad(all)[0]?.message).toContain('ses:GetAccount')
    expect(all.at(-1)?.name).toBe('alarms')
  })

  it('a table that somebody deleted is a fault', async () => {
    const outputs = cloud.account.stacks.Test?.outputs ?? {}
    cloud.account.stacks.Test = { outputs: { ...outputs, TableName: 'gone' } }
    expect(summary(await checks())).toEqual(['last tick: fault'])
  })
})

describe('before anything is deployed', () => {
  it('the account alone is looked at; a stack that was named has to be there', async () => {
    delete cloud.account.stacks.Test
    const unnamed = await checks({ isNamed: false })
    expect(summary(unnamed)).toEqual(['stack: warning'])
    expect(unnamed.map(({ name }) => name)).toContain('plan')
    expect(summary(await checks())).toEqual(['stack: fault'])
  })
})
