import { readdirSync, readFileSync } from 'node:fs'
import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { commandList } from '../../../cli/command-list.ts'
import { mostAge } from '../../../functions/aws/most-age.ts'
import { defaultSettings } from '../../../functions/settings/settings.ts'
import { handlerSeconds } from '../../../infra/queues.ts'
import { plain, resources, withoutEdge, withSender } from '../../support/aws/stack-template.ts'

interface AlarmProperties {
  AlarmDescription: string
  MetricName: string
  Namespace: string
  Threshold: number
  Dimensions?: { Value: { Ref?: string; 'Fn::GetAtt'?: [string, string] } }[]
}

const folder = new URL('../../../docs/operate/', import.meta.url)
const pages = readdirSync(folder).filter((name) => name !== 'README.md')
const text = (page: string) => readFileSync(new URL(page, folder), 'utf8')

const alarms = resources(withSender, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => ({
  name: id.replace(/^Alarms|[0-9A-F]{8}$/g, ''),
  ...(Properties as unknown as AlarmProperties),
}))

describe('the alarms', () => {
  it('watch what the service promises', () => {
    const watched = alarms.map(({ name, MetricName, Namespace, Dimensions = [] }) => {
      const of = Dimensions.map(({ Value }) => Value.Ref ?? Value['Fn::GetAtt']?.[0] ?? '')
      return `${name}: ${Namespace} ${MetricName} ${of.map((id) => id.slice(0, -8))}`.trim()
    })
    expect(watched.sort()).toEqual([
      'BounceRate: AWS/SES Reputation.BounceRate',
      'ClockErrors: AWS/Lambda Errors ComputeClock',
      'ComplaintRate: AWS/SES Reputation.ComplaintRate',
      'DeadEvents: AWS/SQS ApproximateNumberOfMessagesVisible MailEventsDead',
      'DeadLetters: AWS/SQS ApproximateNumberOfMessagesVisible QueuesDead',
      'FeedbackErrors: AWS/Lambda Errors ComputeFeedback',
      'JobErrors: AWS/Lambda Errors ComputeJobs',
      'LateRun: Broadsheet RunsStanding ComputeClock',
      'StaleFeed: Broadsheet FeedsBehind ComputeClock',
      'UrgentAge: AWS/SQS ApproximateAgeOfOldestMessage QueuesUrgent',
      'WebErrors: AWS/Lambda Errors ComputeWeb',
      'WorkAge: AWS/SQS ApproximateAgeOfOldestMessage QueuesWork',
    ])
  })

  it.each([
    ['plain', plain],
    ['without an edge', withoutEdge],
  ])('are the same in the stack, %s', (_, template) => {
    expect(resources(template, 'AWS::CloudWatch::Alarm').map(([id]) => id)).toEqual(
      resources(withSender, 'AWS::CloudWatch::Alarm').map(([id]) => id),
    )
  })

  it('ring for a lane when `doctor` says so, and for no job that failed once', () => {
    const [[, queue] = []] = resources(withSender, 'AWS::SQS::Queue').filter(([id]) =>
      id.startsWith('QueuesUrgent'),
    )
    const { VisibilityTimeout } = queue?.Properties as unknown as { VisibilityTimeout: number }
    for (const lane of ['urgent', 'work'] as const) {
      const alarm = alarms.find(({ name }) => name.toLowerCase() === `${lane}age`)
      expect(alarm?.Threshold).toBe(mostAge[lane])
      // Until it comes again, and twice as long as a function may take.
      expect(alarm?.Threshold).toBeGreaterThan(VisibilityTimeout + 2 * handlerSeconds)
    }
  })

  it('ring for complaints and bounces where a run stops by itself, as their pages say', () => {
    const { guard } = defaultSettings.mail
    for (const [kind, page] of [
      ['bounces', 'bounce-rate.md'],
      ['complaints', 'complaint-rate.md'],
    ] as const) {
      const alarm = alarms.find(({ AlarmDescription }) => AlarmDescription.endsWith(page))
      expect(alarm?.Threshold).toBeCloseTo(guard[kind] / 100, 6)
      expect(text(page)).toContain(`${guard[kind]} % of the account's mails`)
      expect(text('README.md')).toContain(`| ${guard[kind]} % of`)
    }
  })

  it('name each its own page: symptom, look, do', () => {
    expect(alarms.map(({ AlarmDescription }) => AlarmDescription).sort()).toEqual(
      pages.map((page) => `docs/operate/${page}`).sort(),
    )
    const list = text('README.md')
    for (const { name, AlarmDescription } of alarms) {
      const page = AlarmDescription.slice('docs/operate/'.length)
      expect(text(page).match(/^## .*$/gm)).toEqual(['## Symptom', '## Look', '## Do'])
      expect(list).toMatch(new RegExp(`^\\| \`${name}\` +\\| \\[[a-z-]+\\]\\(${page}\\)`, 'm'))
    }
  })

  it('name on their pages only commands, outputs and parts that exist', () => {
    const ids = resources(withSender).map(([id, { Type }]) => `${Type} ${id}`)
    const outputs = Object.keys(withSender.toJSON().Outputs)
    const commands = new Set(commandList.map(({ name }) => name))
    let seen = 0
    for (const page of [...pages, 'README.md']) {
      const written = text(page)
      for (const [, name = ''] of written.matchAll(/npx broadsheet ([a-z]+)/g)) {
        expect(commands).toContain(name)
        seen++
      }
      for (const [, name = ''] of written.matchAll(/\bout ([A-Z]\w+)/g)) {
        expect(outputs).toContain(name)
        seen++
      }
      for (const [, type, name] of written.matchAll(/\bpart (AWS::\S+) (Compute\w+)/g)) {
        expect(ids.filter((id) => id.startsWith(`${type} ${name}`))).toHaveLength(1)
        seen++
      }
      for (const [, name] of written.matchAll(/\blogs ([A-Z]\w+)/g)) {
        const logs = ids.filter((id) => id.startsWith(`AWS::Logs::LogGroup Compute${name}Logs`))
        expect(logs).toHaveLength(1)
        seen++
      }
    }
    expect(seen).toBeGreaterThan(30)
  })

  it('are mailed to the address that was given, and may be published', () => {
    withSender.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@news.example',
    })
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
    for (const [, { Properties }] of resources(withSender, 'AWS::CloudWatch::Alarm')) {
      expect(Properties).toHaveProperty('AlarmActions')
    }
  })

  it('are there to look at, and told to nobody, without an address', () => {
    for (const [, { Properties }] of resources(plain, 'AWS::CloudWatch::Alarm')) {
      expect(Properties).not.toHaveProperty('AlarmActions')
    }
    plain.resourceCountIs('AWS::SNS::Subscription', 0)
  })
})
