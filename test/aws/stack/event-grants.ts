import { describe, expect, it } from 'vitest'
import { account, arn, arnOf, deployedPolicies } from '../../support/aws/deployed-policies.ts'
import { decide, type Principal, type Statement } from '../../support/aws/iam-policy.ts'
import { plain, variants, withoutEdge } from '../../support/aws/stack-template.ts'

/** What is asked on behalf of a resource of the account, over TLS. */
const onBehalfOf = (source: string) => ({
  'aws:securetransport': ['true'],
  'aws:sourcearn': [source],
  'aws:sourceaccount': [account],
})
const may = (
  statements: readonly Statement[],
  who: Principal,
  action: string,
  resource: string,
  source = '',
) => decide(statements, who, { action, resource, context: onBehalfOf(source) }).isAllowed

describe.each(variants)('what hands events over, %s', (_, template) => {
  const { allOf, ofRole, ofResources, trustOf } = deployedPolicies(template)
  /** The name in the last part of an ARN. */
  const nameIn = (text: unknown) => /[\w-]+$/.exec(String(text))?.[0] ?? ''
  const roleOf = (functionName: string) => {
    const found = allOf('AWS::Lambda::Function').find(({ name }) => name === functionName)
    return nameIn(found?.properties.Role)
  }

  it('lets Lambda poll each queue with the role of the function that it calls', () => {
    const mappings = allOf('AWS::Lambda::EventSourceMapping')
    expect(mappings).toHaveLength(4)
    for (const { properties } of mappings) {
      const role = roleOf(String(properties.FunctionName))
      const queue = String(properties.EventSourceArn)
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
        const statements = [...ofRole(role), ...ofResources]
        expect(`${role} ${action} ${may(statements, { role }, `sqs:${action}`, queue)}`).toBe(
          `${role} ${action} true`,
        )
      }
      expect(may(trustOf(role), { service: 'lambda.amazonaws.com' }, 'sts:AssumeRole', '*')).toBe(
        true,
      )
    }
  })

  it('lets the schedule call the clock, and put aside a tick that could not be delivered', () => {
    const schedules = allOf('AWS::Scheduler::Schedule')
    expect(schedules).toHaveLength(1)
    for (const { properties } of schedules) {
      const target = properties.Target as {
        Arn: string
        RoleArn: string
        DeadLetterConfig: { Arn: string }
      }
      const role = nameIn(target.RoleArn)
      const statements = [...ofRole(role), ...ofResources]
      expect(target.Arn).toBe(arnOf['AWS::Lambda::Function']('ComputeClock'))
      expect(may(statements, { role }, 'lambda:InvokeFunction', target.Arn)).toBe(true)
      expect(may(statements, { role }, 'sqs:SendMessage', target.DeadLetterConfig.Arn)).toBe(true)
      // A role for schedules is taken on behalf of their group.
      // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      const scheduler = { service: 'scheduler.amazonaws.com' }
      const group = arn('scheduler', 'schedule-group/default')
      const takes = (source: string) => may(trustOf(role), scheduler, 'sts:AssumeRole', '*', source)
      expect(takes(group)).toBe(true)
      expect(takes(group.replace(account, '210987654321'))).toBe(false)
    }
  })

  it('lets the rule of the inbox, and no other, put notices into the lane and the dead letters', () => {
    const rules = allOf('AWS::Events::Rule')
    expect(rules).toHaveLength(1)
    for (const { name, properties } of rules) {
      const targets = properties.Targets as { Arn: string; DeadLetterConfig: { Arn: string } }[]
      const queues = targets.flatMap((target) => [target.Arn, target.DeadLetterConfig.Arn])
      expect(queues).toEqual([
        arnOf['AWS::SQS::Queue']('QueuesWork'),
        arnOf['AWS::SQS::Queue']('QueuesDead'),
      ])
      const events = { service: 'events.amazonaws.com' }
      for (const queue of queues) {
        const puts = (rule: string) =>
          may(ofResources, events, 'sqs:SendMessage', queue, arnOf['AWS::Events::Rule'](rule))
        expect(puts(name)).toBe(true)
        expect(puts('another')).toBe(false)
      }
    }
  })

  it('lets SES tell the topic, and the topic the queue of events', () => {
    const destinations = allOf('AWS::SES::ConfigurationSetEventDestination')
    const subscriptions = allOf('AWS::SNS::Subscription').filter(
      ({ properties }) => properties.Protocol === 'sqs',
    )
    const expected = template === plain ? 0 : 1
    expect([destinations.length, subscriptions.length]).toEqual([expected, expected])
    for (const { properties } of destinations) {
      const { SnsDestination } = properties.EventDestination as {
        SnsDestination: { TopicARN: string }
      }
      const publishes = (set: string) =>
        may(
          ofResources,
          { service: 'ses.amazonaws.com' },
          'sns:Publish',
          SnsDestination.TopicARN,
          arn('ses', `configuration-set/${set}`),
        )
      expect(publishes(String(properties.ConfigurationSetName))).toBe(true)
      expect(publishes('another')).toBe(false)
    }
    for (const { properties } of subscriptions) {
      const [topic, queue] = [String(properties.TopicArn), String(properties.Endpoint)]
      expect(queue).toBe(arnOf['AWS::SQS::Queue']('MailEvents'))
      const sns = { service: 'sns.amazonaws.com' }
      expect(may(ofResources, sns, 'sqs:SendMessage', queue, topic)).toBe(true)
      expect(may(ofResources, sns, 'sqs:SendMessage', queue, `${topic}2`)).toBe(false)
    }
  })

  it('lets alarms tell the topic that mails them', () => {
    const topics = allOf('AWS::CloudWatch::Alarm').flatMap(
      ({ properties }) => (properties.AlarmActions ?? []) as string[],
    )
    for (const topic of new Set(topics)) {
      const alarm = arn('cloudwatch', 'alarm:x')
      const cloudwatch = { service: 'cloudwatch.amazonaws.com' }
      expect(may(ofResources, cloudwatch, 'sns:Publish', topic, alarm)).toBe(true)
    }
  })

  it('lets the distribution read what is shown to everybody, and not whether it is there', () => {
    const distributions = allOf('AWS::CloudFront::Distribution')
    expect(distributions).toHaveLength(template === withoutEdge ? 0 : 1)
    const bucket = arnOf['AWS::S3::Bucket']('RecordsBucket')
    for (const { name } of distributions) {
      const source = (id: string) => `arn:aws:cloudfront::${account}:distribution/${id}`
      const asks = (action: string, resource: string, id = name) =>
        may(ofResources, { service: 'cloudfront.amazonaws.com' }, action, resource, source(id))
      expect(asks('s3:GetObject', `${bucket}/public/feeds/rss.xml`)).toBe(true)
      expect(asks('s3:GetObject', `${bucket}/public/feeds/rss.xml`, 'another')).toBe(false)
      expect(asks('s3:GetObject', `${bucket}/outbox/a/b.eml`)).toBe(false)
      // So that the bucket answers 403, with which the web function is asked.
      expect(asks('s3:ListBucket', bucket)).toBe(false)
    }
  })

  // Both are needed: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
  it('lets everybody call the web function by its URL, and by nothing else', () => {
    const permissions = allOf('AWS::Lambda::Permission').map(({ properties }) => properties)
    const web = arnOf['AWS::Lambda::Function']('ComputeWeb')
    expect(permissions).toHaveLength(2)
    expect(permissions).toEqual(
      expect.arrayContaining([
        {
          Action: 'lambda:InvokeFunctionUrl',
          FunctionName: web,
          FunctionUrlAuthType: 'NONE',
          Principal: '*',
        },
        {
          Action: 'lambda:InvokeFunction',
          FunctionName: web,
          InvokedViaFunctionUrl: true,
          Principal: '*',
        },
      ]),
    )
    expect(allOf('AWS::Lambda::Url')).toMatchObject([
      { properties: { AuthType: 'NONE', TargetFunctionArn: web } },
    ])
  })
})
