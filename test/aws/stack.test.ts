import { readFileSync } from 'node:fs'
import { App, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import { tableAttributes, tableIndex } from '../../functions/aws/table.ts'
import { objectKeys, objectPrefixes, recordKeys } from '../../functions/keys.ts'
import { handlerSeconds } from '../../infra/queues.ts'
import { ServiceStack, type ServiceStackProps } from '../../infra/service-stack.ts'

const { context } = JSON.parse(
  readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'),
) as { context: Record<string, unknown> }

interface Resource {
  Type: string
  Properties: Record<string, never>
  DeletionPolicy?: string
  DependsOn?: string[]
}
interface Statement {
  Effect: 'Allow' | 'Deny'
  Action: string | string[]
  Resource?: unknown
  Condition?: unknown
}

/** The stack with some code instead of the bundles, which need no building to see the rest. */
function stackOf(props: ServiceStackProps = {}) {
  const app = new App({ context })
  const stack = new ServiceStack(app, 'Broadsheet', { code: () => Code.fromInline('x'), ...props })
  return { app, stack }
}

const plain = Template.fromStack(stackOf().stack)
const withSender = Template.fromStack(
  stackOf({ mailDomain: 'news.example', alarmAddress: 'ops@news.example' }).stack,
)
const withoutEdge = Template.fromStack(stackOf({ edge: 'none', mailDomain: 'news.example' }).stack)
const variants = [
  ['plain', plain],
  ['with a sender', withSender],
  ['without an edge', withoutEdge],
] as const

const resources = (template: Template, type?: string) =>
  Object.entries(template.toJSON().Resources as Record<string, Resource>).filter(
    ([, resource]) => type === undefined || resource.Type === type,
  )
const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** The statements of the role that a function of `Compute` runs with. */
function statementsOf(template: Template, name: 'Web' | 'Jobs' | 'Clock' | 'Feedback') {
  return resources(template, 'AWS::IAM::Policy')
    .filter(([id]) => id.startsWith(`Compute${name}ServiceRole`))
    .flatMap(([, { Properties }]) => {
      const { PolicyDocument } = Properties as unknown as {
        PolicyDocument: { Statement: Statement[] }
      }
      return PolicyDocument.Statement
    })
}

const actionsOf = (statements: Statement[]) =>
  statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => listOf(Action))

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

  it('lets only `jobs` send mail, only as the sender', () => {
    for (const name of ['Web', 'Clock', 'Feedback'] as const) {
      const sending = actionsOf(statementsOf(template, name)).filter((action) =>
        /^ses:(Send|\*)/.test(action),
      )
      expect(sending).toEqual([])
    }
    const sends = statementsOf(template, 'Jobs').filter(({ Action }) =>
      listOf(Action).includes('ses:SendRawEmail'),
    )
    for (const { Condition } of sends) {
      expect(Condition).toEqual({ StringLike: { 'ses:FromAddress': '*@news.example' } })
    }
    expect(sends).toHaveLength(template === plain ? 0 : 1)
  })

  it('lets whoever drives a run ask SES what it allows', () => {
    for (const name of ['Web', 'Jobs', 'Clock'] as const) {
      const asks = actionsOf(statementsOf(template, name)).includes('ses:GetSendQuota')
      expect(asks).toBe(template !== plain)
    }
  })

  it('grants no action by a star, and resources by a star only as written here', () => {
    const stars: string[] = []
    for (const name of ['Web', 'Jobs', 'Clock', 'Feedback'] as const) {
      for (const { Effect, Action, Resource: resource } of statementsOf(template, name)) {
        if (Effect === 'Deny') continue
        expect(listOf(Action).filter((action) => action.includes('*'))).toEqual([])
        for (const one of listOf(resource)) {
          // The last literal part of an ARN says what the star stands for.
          const end = /[^":]*\*$/.exec(/"([^"]*\*)"/.exec(JSON.stringify(one))?.[1] ?? '')?.[0]
          if (end) stars.push(`${name} ${end}: ${listOf(Action).sort()}`)
        }
      }
    }
    const written = (['Web', 'Jobs', 'Clock'] as const).flatMap((name) => [
      ...objectPrefixes.map(
        (prefix) => `${name} /${prefix}*: s3:DeleteObject,s3:GetObject,s3:PutObject`,
      ),
      ...(template === plain
        ? []
        : [`${name} *: ses:GetIdentityVerificationAttributes,ses:GetSendQuota`]),
    ])
    if (template !== plain) written.push('Jobs identity/*: ses:SendRawEmail')
    expect(stars.sort()).toEqual(written.sort())
  })

  it('lets `web` alone read the API keys', () => {
    for (const name of ['Jobs', 'Clock', 'Feedback'] as const) {
      expect(statementsOf(template, name).filter(({ Effect }) => Effect === 'Deny')).toMatchObject([
        {
          Action: 'dynamodb:*',
          Condition: {
            'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': [recordKeys.apiKeys] },
          },
        },
      ])
    }
    expect(statementsOf(template, 'Web').filter(({ Effect }) => Effect === 'Deny')).toEqual([])
  })

  it('lets a function see that an object is not there', () => {
    for (const name of ['Web', 'Jobs', 'Clock'] as const) {
      const lists = statementsOf(template, name).filter(({ Action }) =>
        listOf(Action).includes('s3:ListBucket'),
      )
      expect(lists).toHaveLength(1)
      expect(lists[0]).not.toHaveProperty('Condition')
    }
  })

  it('tells the work lane of files in the inbox and of no refused one', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { object: { key: [{ prefix: objectKeys.inbox }] } },
      },
    })
    const filtered = resources(template, 'AWS::Lambda::EventSourceMapping').flatMap(
      ([, { Properties }]) => {
        const { FilterCriteria, EventSourceArn } = Properties as unknown as {
          FilterCriteria?: { Filters: { Pattern: string }[] }
          EventSourceArn: object
        }
        return FilterCriteria ? [{ FilterCriteria, EventSourceArn }] : []
      },
    )
    expect(filtered).toHaveLength(1)
    expect(JSON.stringify(filtered[0]?.EventSourceArn)).toContain('QueuesWork')
    expect(filtered[0]?.FilterCriteria.Filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual([
      { body: { job: { kind: [{ exists: true }] } } },
      {
        body: {
          detail: { object: { key: [{ 'anything-but': { prefix: objectKeys.inboxRejected } }] } },
        },
      },
    ])
  })

  it('ticks each minute, without a day of retries', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: {
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: Match.anyValue(),
      },
    })
  })

  it('says where the site is and what comes next', () => {
    template.hasOutput('SiteUrl', {})
    const next = JSON.stringify(template.findOutputs('Next'))
    expect(next).toContain('node infra/create-key.ts ')
    expect(next).toContain('RecordsTable')
  })

  it('knows the site’s address by a parameter alone, as a variable would close a cycle', () => {
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
  it('deletes the data with it only when told to', () => {
    const template = Template.fromStack(stackOf({ destroyData: true }).stack)
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
      : Template.fromStack(stackOf({ mailDomain: 'news.example', sendEvents }).stack)
    const [[, destination] = []] = resources(template, 'AWS::SES::ConfigurationSetEventDestination')
    const { EventDestination } = destination?.Properties as unknown as {
      EventDestination: { MatchingEventTypes: string[] }
    }
    expect(EventDestination.MatchingEventTypes.sort()).toEqual(types)
    template.hasResourceProperties('AWS::SNS::Subscription', { RawMessageDelivery: true })
  })

  it('names in each alarm what to do about it', () => {
    const text = readFileSync(new URL('../../docs/aws.md', import.meta.url), 'utf8')
    const anchors = [...text.matchAll(/^### (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    )
    const named = resources(withSender, 'AWS::CloudWatch::Alarm').map(
      ([, { Properties }]) =>
        (Properties as unknown as { AlarmDescription: string }).AlarmDescription,
    )
    expect(named.sort()).toEqual(anchors.map((anchor) => `docs/aws.md#${anchor}`).sort())
  })

  it('lets alarms publish to their topic', () => {
    withSender.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ]),
      },
    })
    const alarms = resources(withSender, 'AWS::CloudWatch::Alarm')
    expect(alarms.length).toBeGreaterThan(0)
    for (const [, { Properties }] of alarms) expect(Properties).toHaveProperty('AlarmActions')
  })

  it('makes the records of DNS where Route 53 has the zone, and prints them where not', () => {
    const names = Object.keys(withSender.toJSON().Outputs)
    expect(names.filter((name) => /Dkim|Spf|Mx|Dmarc/.test(name))).toHaveLength(6)
    const template = Template.fromStack(
      stackOf({
        domain: 'news.example',
        mailDomain: 'news.example',
        hostedZone: { id: 'Z0000000000', name: 'news.example' },
      }).stack,
    )
    const records = resources(template, 'AWS::Route53::RecordSet').map(
      ([, { Properties }]) => `${(Properties as unknown as { Type: string }).Type}`,
    )
    expect(records.sort()).toEqual(['A', 'AAAA', 'CNAME', 'CNAME', 'CNAME', 'MX', 'TXT', 'TXT'])
    template.resourceCountIs('AWS::CertificateManager::Certificate', 1)
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { Aliases: ['news.example'] },
    })
  })

  it('has no finding of the AwsSolutions rules that is not acknowledged with its reason', () => {
    const { app } = stackOf({ mailDomain: 'news.example', alarmAddress: 'ops@news.example' })
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
    expect(() => app.synth()).not.toThrow()
  })
})

describe('the edge', () => {
  interface Behavior {
    PathPattern?: string
    TargetOriginId: string
    CachePolicyId: unknown
    AllowedMethods: string[]
    FunctionAssociations?: unknown[]
  }
  interface Config {
    DefaultCacheBehavior: Behavior
    CacheBehaviors: Behavior[]
    Origins: { Id: string; OriginPath?: string }[]
    OriginGroups: { Items: { Id: string; FailoverCriteria: unknown }[] }
    CustomErrorResponses?: unknown
  }
  const [[, distribution] = []] = resources(plain, 'AWS::CloudFront::Distribution')
  const { DistributionConfig } = distribution?.Properties as unknown as {
    DistributionConfig: Config
  }

  it('takes a domain only with a certificate for it', () => {
    const domain = 'news.example'
    const without = Template.fromStack(stackOf({ domain }).stack)
    without.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { Aliases: Match.absent() },
    })
    expect(JSON.stringify(without.findOutputs('SiteUrl'))).not.toContain(domain)
    const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/c'
    const withOne = Template.fromStack(stackOf({ domain, certificateArn }).stack)
    withOne.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: [domain],
        ViewerCertificate: {
          AcmCertificateArn: certificateArn,
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      },
    })
    withOne.hasOutput('SiteUrl', { Value: `https://${domain}` })
    withOne.hasOutput('SiteDns', {})
  })

  it('is left out with `edge=none`, and the web function serves everything', () => {
    withoutEdge.resourceCountIs('AWS::CloudFront::Distribution', 0)
    withoutEdge.resourceCountIs('AWS::Lambda::Url', 1)
    withoutEdge.hasOutput('SiteUrl', {
      Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('FunctionUrl'), 'FunctionUrl'] },
    })
  })

  it('asks the web function for what is not rendered', () => {
    const { DefaultCacheBehavior, OriginGroups, Origins } = DistributionConfig
    expect(OriginGroups.Items).toMatchObject([
      {
        Id: DefaultCacheBehavior.TargetOriginId,
        FailoverCriteria: { StatusCodes: { Items: [403, 404] } },
      },
    ])
    expect(Origins.filter(({ OriginPath }) => OriginPath === '/public')).toHaveLength(1)
    expect(DefaultCacheBehavior.FunctionAssociations).toHaveLength(1)
  })

  it('takes the place of no answer of the API', () => {
    expect(DistributionConfig).not.toHaveProperty('CustomErrorResponses')
  })

  it('caches nothing that a form or the API answers, and takes every method there', () => {
    const paths = DistributionConfig.CacheBehaviors.map(({ PathPattern }) => PathPattern)
    expect(paths).toEqual([
      '/api/*',
      '/healthz',
      '/subscribe*',
      '/confirm/*',
      '/preferences/*',
      '/unsubscribe/*',
      '/archive/*',
      '/admin/*',
    ])
    for (const { CachePolicyId, AllowedMethods } of DistributionConfig.CacheBehaviors) {
      // The managed policy `CachingDisabled`.
      expect(CachePolicyId).toBe('4135ea2d-6df8-44a3-9df3-4b5a84be39ad')
      expect(AllowedMethods).toContain('POST')
    }
  })

  it('signs what it asks of the bucket, and nothing that a form sends', () => {
    const controls = resources(plain, 'AWS::CloudFront::OriginAccessControl')
    expect(controls).toMatchObject([
      [
        expect.anything(),
        { Properties: { OriginAccessControlConfig: { OriginAccessControlOriginType: 's3' } } },
      ],
    ])
    plain.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' })
  })
})
