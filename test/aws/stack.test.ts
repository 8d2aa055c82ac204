import { readFileSync } from 'node:fs'
import { Validations } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import { deployedStack } from '../../cli/stack/read-stack.ts'
import { tableAttributes, tableIndex } from '../../functions/aws/table.ts'
import { objectKeys } from '../../functions/keys.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { handlerSeconds } from '../../infra/queues.ts'
import { readable } from '../support/aws/readable-template.ts'
import {
  actionsOf,
  plain,
  resources,
  stackOf,
  statementsOf,
  templateOf,
  variants,
  withSender,
} from '../support/aws/stack-template.ts'

// Loaded from here, as each file of tests would load all of CDK again.
import './stack/alarms.ts'
import './stack/domain.ts'
import './stack/edge.ts'
import './stack/event-grants.ts'
import './stack/grants.ts'
import './stack/options.ts'

describe.each(variants)('the stack, %s', (_, template) => {
  it('asks for no parameter but that of the bootstrap', () => {
    expect(Object.keys(template.toJSON().Parameters ?? {})).toEqual(['BootstrapVersion'])
  })

  it('holds no secret, nor a key in what it prints', () => {
    const text = JSON.stringify(template.toJSON())
    expect(text).not.toMatch(/bs_live_|SecretString|AKIA[A-Z0-9]{12}|PRIVATE KEY/)
    expect(resources(template, 'AWS::SecretsManager::Secret')).toEqual([])
    const names = Object.keys(template.toJSON().Outputs)
    expect(names.filter((name) => /secret|token|password/i.test(name))).toEqual([])
    for (const [, { Properties }] of resources(template, 'AWS::Lambda::Function')) {
      const { Environment } = Properties as { Environment?: { Variables: object } }
      expect(
        Object.keys(Environment?.Variables ?? {}).filter((name) => /KEY|SECRET/.test(name)),
      ).toEqual([])
    }
  })

  it('brings no function but the four doorways, and no custom resource', () => {
    expect(
      resources(template, 'AWS::Lambda::Function')
        .map(([id]) => id.slice(0, -8))
        .sort(),
    ).toEqual(['ComputeClock', 'ComputeFeedback', 'ComputeJobs', 'ComputeWeb'])
    const custom = resources(template).filter(([, { Type }]) =>
      /^Custom::|CustomResource/.test(Type),
    )
    expect(custom).toEqual([])
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
    })
  })

  it('keeps everything in the bucket from the public', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    })
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    })
  })

  it('keeps the records: expiry, recovery to a point in time, the second key', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: tableAttributes.expires, Enabled: true },
      KeySchema: [
        { AttributeName: tableAttributes.partition, KeyType: 'HASH' },
        { AttributeName: tableAttributes.sort, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        Match.objectLike({ IndexName: tableIndex, Projection: { ProjectionType: 'ALL' } }),
      ],
      Replicas: [
        Match.objectLike({
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        }),
      ],
    })
  })

  it('keeps posts and readers when it is deleted', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable']) {
      template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
    }
  })

  it('gives each polled queue a dead-letter queue and six times its function’s time-out', () => {
    const sources = resources(template, 'AWS::Lambda::EventSourceMapping')
    expect(sources).toHaveLength(4)
    const queues = new Map(resources(template, 'AWS::SQS::Queue'))
    const functions = new Map(resources(template, 'AWS::Lambda::Function'))
    for (const [, { Properties }] of sources) {
      const { EventSourceArn, FunctionName, FunctionResponseTypes } = Properties as unknown as {
        EventSourceArn: { 'Fn::GetAtt': [string, string] }
        FunctionName: { Ref: string }
        FunctionResponseTypes: string[]
      }
      const queue = queues.get(EventSourceArn['Fn::GetAtt'][0])?.Properties as unknown as {
        VisibilityTimeout: number
        RedrivePolicy: { maxReceiveCount: number; deadLetterTargetArn: object }
      }
      const { Timeout } = functions.get(FunctionName.Ref)?.Properties as unknown as {
        Timeout: number
      }
      expect(Timeout).toBeLessThanOrEqual(handlerSeconds)
      expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(6 * Timeout)
      expect(queue.RedrivePolicy.maxReceiveCount).toBe(5)
      expect(FunctionResponseTypes).toEqual(['ReportBatchItemFailures'])
    }
  })

  it('bounds the workers of the mail lane alone, since idle polling of a bounded lane costs', () => {
    const bounded = resources(template, 'AWS::Lambda::EventSourceMapping').filter(
      ([, { Properties }]) => 'ScalingConfig' in Properties,
    )
    expect(bounded.map(([, { Properties }]) => JSON.stringify(Properties))).toEqual([
      expect.stringContaining('QueuesMail'),
    ])
  })

  it('tells the work lane of files in the inbox, by what EventBridge surely knows', () => {
    // That `inbox/rejected/` is left alone, no pattern can say: `jobs` does it (doorways.test.ts).
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { object: { key: [{ prefix: objectKeys.inbox }] } },
      },
    })
  })

  it('lets no filter delete what it does not know: it shall end in the dead letters', () => {
    for (const [, { Properties }] of resources(template, 'AWS::Lambda::EventSourceMapping')) {
      expect(Properties).not.toHaveProperty('FilterCriteria')
    }
  })

  it('ticks each minute, without a day of retries', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: {
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: Match.anyValue(),
      },
    })
    // Called asynchronously, a function is tried twice more by Lambda itself.
    const asynchronous = resources(template, 'AWS::Lambda::EventInvokeConfig')
    expect(asynchronous.map(([, { Properties }]) => Properties)).toMatchObject([
      {
        FunctionName: { Ref: expect.stringMatching(/^ComputeClock/) },
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60,
      },
    ])
  })

  it('lets `jobs` alone go on in a chain, which Lambda would stop', () => {
    const chains = resources(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
      const { RecursiveLoop } = Properties as { RecursiveLoop?: string }
      return RecursiveLoop ? [`${id.slice(0, -8)}: ${RecursiveLoop}`] : []
    })
    expect(chains).toEqual(['ComputeJobs: Allow'])
  })

  it('starts nothing by itself before there is an address to name', () => {
    const [[parameter = ''] = []] = resources(template, 'AWS::SSM::Parameter')
    const starting = resources(template).filter(([, { Type }]) =>
      ['AWS::Lambda::EventSourceMapping', 'AWS::Scheduler::Schedule'].includes(Type),
    )
    expect(starting).toHaveLength(5)
    for (const [, { DependsOn }] of starting) expect(DependsOn).toContain(parameter)
  })

  it('says where the site is and what comes next', () => {
    template.hasOutput('SiteUrl', {})
    template.hasOutput('Next', { Value: 'npx broadsheet keys create me --stack Broadsheet' })
  })

  it('names in its outputs what `--stack` needs, as the command line reads it', () => {
    const outputs = template.toJSON().Outputs as Record<string, { Value: unknown }>
    const stack = deployedStack(
      {
        StackName: 'Broadsheet',
        CreationTime: new Date(),
        StackStatus: 'CREATE_COMPLETE',
        StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Broadsheet/x',
        Outputs: Object.entries(outputs).map(([OutputKey, { Value }]) => ({
          OutputKey,
          OutputValue: JSON.stringify(Value),
        })),
      },
      'Broadsheet',
    )
    expect(stack).toMatchObject({
      table: expect.stringContaining('RecordsTable'),
      bucket: expect.stringContaining('RecordsBucket'),
      queues: {
        urgent: expect.stringContaining('QueuesUrgent'),
        work: expect.stringContaining('QueuesWork'),
        mail: expect.stringContaining('QueuesMail'),
        dead: expect.stringContaining('QueuesDead'),
      },
      eventQueues: {
        events: expect.stringContaining('MailEvents'),
        dead: expect.stringContaining('MailEventsDead'),
      },
    })
    expect(stack.configurationSet === undefined).toBe(template === plain)
  })

  it('knows an address that is made with it by a parameter, as a variable would close a cycle', () => {
    template.resourceCountIs('AWS::SSM::Parameter', 1)
    for (const [, { Properties }] of resources(template, 'AWS::Lambda::Function')) {
      const { Environment } = Properties as unknown as {
        Environment: { Variables: Record<string, unknown> }
      }
      expect(Environment.Variables.BROADSHEET_ADDRESS_PARAMETER).toBe('/Broadsheet/address')
      expect(JSON.stringify(Environment)).not.toMatch(/Distribution|FunctionUrl/)
    }
  })
})

describe('the stack', () => {
  it('keeps what failed longer than anyone is away, and logs for a month', () => {
    for (const template of [plain, withSender]) {
      const queues = resources(template, 'AWS::SQS::Queue').map(([id, { Properties }]) => {
        const { MessageRetentionPeriod, SqsManagedSseEnabled, RedrivePolicy } =
          Properties as unknown as {
            MessageRetentionPeriod?: number
            SqsManagedSseEnabled: boolean
            RedrivePolicy?: object
          }
        expect(SqsManagedSseEnabled).toBe(true)
        return { id, days: (MessageRetentionPeriod ?? 345_600) / 86_400, isDead: !RedrivePolicy }
      })
      expect(queues.filter(({ isDead }) => isDead).map(({ days }) => days)).toEqual([14, 14])
      expect(queues.filter(({ isDead }) => !isDead).map(({ days }) => days)).toEqual([4, 4, 4, 4])
      template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
      template.resourceCountIs('AWS::Logs::LogGroup', 4)
    }
  })

  it('takes every flag that this CDK recommends', () => {
    const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
    const recommended = read('../../node_modules/aws-cdk-lib/recommended-feature-flags.json')
    const { context } = read('../../cdk.json') as { context: Record<string, unknown> }
    expect(Object.keys(recommended).filter((name) => !(name in context))).toEqual([])
  })

  it('reads as it is written down, so that a change of it is seen', async () => {
    await expect(readable(withSender)).toMatchFileSnapshot('template.snap')
  })

  it('deletes the data with it only when told to', () => {
    const template = templateOf({ destroyData: true })
    template.allResources('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Delete' })
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Delete' })
  })

  it('makes no identity and no event destination without a sender', () => {
    for (const type of [
      'AWS::SES::EmailIdentity',
      'AWS::SES::ConfigurationSet',
      'AWS::SNS::Topic',
    ]) {
      plain.resourceCountIs(type, 0)
    }
    withSender.hasResourceProperties('AWS::SES::EmailIdentity', {
      EmailIdentity: 'news.example',
      MailFromAttributes: { MailFromDomain: 'mail.news.example' },
    })
  })

  it.each([
    [true, ['bounce', 'complaint', 'deliveryDelay', 'reject', 'send']],
    [false, ['bounce', 'complaint', 'deliveryDelay', 'reject']],
  ])('hears of what SES did; of each sending: %s', (sendEvents, types) => {
    const template = sendEvents
      ? withSender
      : templateOf({ mailDomain: 'news.example', sendEvents })
    const [[, destination] = []] = resources(template, 'AWS::SES::ConfigurationSetEventDestination')
    const { EventDestination } = destination?.Properties as unknown as {
      EventDestination: { MatchingEventTypes: string[] }
    }
    expect(EventDestination.MatchingEventTypes.sort()).toEqual(types)
    template.hasResourceProperties('AWS::SNS::Subscription', { RawMessageDelivery: true })
  })

  it('says a site’s own address in a variable, and needs no parameter for it', () => {
    const template = templateOf({
      domain: 'news.example',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/c',
    })
    for (const [, { Properties }] of resources(template, 'AWS::Lambda::Function')) {
      const { Environment } = Properties as unknown as {
        Environment: { Variables: Record<string, unknown> }
      }
      expect(Environment.Variables.BROADSHEET_ADDRESS).toBe('https://news.example')
      expect(Environment.Variables).not.toHaveProperty('BROADSHEET_ADDRESS_PARAMETER')
    }
    for (const name of ['Web', 'Jobs', 'Clock', 'Feedback'] as const) {
      expect(actionsOf(statementsOf(template, name))).not.toContain('ssm:GetParameter')
    }
    // It stays, for the day on which the domain is taken away again.
    template.hasResourceProperties('AWS::SSM::Parameter', { Value: 'https://news.example' })
  })

  it('keeps mails as long as it is known who got what, and nothing else for a time', () => {
    for (const [template, days] of [
      [plain, defaultSettings.keep.runsDays],
      [templateOf({ outboxDays: 30 }), 30],
    ] as const) {
      template.hasResourceProperties('AWS::S3::Bucket', {
        LifecycleConfiguration: {
          Rules: [{ Id: 'Outbox', Prefix: 'outbox/', ExpirationInDays: days, Status: 'Enabled' }],
        },
      })
    }
  })

  it('has no finding of the AwsSolutions rules that is not acknowledged with its reason', () => {
    for (const props of [
      {},
      { domain: 'news.example', hostedZone: { id: 'Z1', name: 'example' } },
    ]) {
      const sender = { mailDomain: 'news.example', alarmAddress: 'ops@news.example' }
      const { app } = stackOf({ ...sender, ...props })
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
      expect(() => app.synth()).not.toThrow()
    }
  })
})
