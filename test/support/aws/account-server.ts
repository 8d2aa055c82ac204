import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PlayedStack {
  status?: string
  outputs?: Record<string, string>
}

/** An answer instead of the right one. */
export interface AccountFault {
  status: number
  code: string
  message: string
}

/** What the account is asked about; tests change it as they go. */
export interface PlayedAccount {
  stacks: Record<string, PlayedStack>
  /** `GetAccount` of SES. */
  ses: Record<string, unknown>
  /** `GetEmailIdentity` of SES, by domain. */
  identities: Record<string, Record<string, unknown>>
  /** Seconds, by the queue's name. */
  ages: Record<string, number>
  /** Names of alarms that ring, with their descriptions. */
  alarms: Record<string, string>
  /** By action, or `*`. */
  faults: Record<string, AccountFault>
  /** How far this machine seems to be behind AWS, seconds. */
  skew: number
}

/**
 * CloudFormation, SES v2 and CloudWatch as far as the command line asks them, on one address: the
 * Query protocol, REST with JSON, and JSON 1.0 with `X-Amz-Target`.
 */
export async function accountServer() {
  const account: PlayedAccount = fresh()
  const actions: string[] = []

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const target = incoming.headers['x-amz-target']
    const path = incoming.url ?? '/'
    const isQuery = !target && !path.startsWith('/v2/')
    const form = new URLSearchParams(isQuery ? body : '')
    const identity = /^\/v2\/email\/identities\/([^/?]+)/.exec(path)?.[1]
    const action = target
      ? (String(target).split('.').pop() ?? '')
      : isQuery
        ? (form.get('Action') ?? '')
        : identity
          ? 'GetEmailIdentity'
          : 'GetAccount'
    actions.push(action)
    outgoing.setHeader('date', new Date(Date.now() + account.skew * 1000).toUTCString())

    const xml = (status: number, text: string) =>
      outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(text)
    const json = (status: number, value: unknown, kind?: string) =>
      outgoing
        .writeHead(status, {
          'content-type': target ? 'application/x-amz-json-1.0' : 'application/json',
          ...(kind ? { 'x-amzn-errortype': kind } : {}),
        })
        .end(JSON.stringify(value))
    const refuse = ({ status, code, message }: AccountFault) =>
      isQuery
        ? xml(
            status,
            `<ErrorResponse xmlns="${cloudformation}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
          )
        : json(status, { __type: code, message }, code)

    const fault = account.faults[action] ?? account.faults['*']
    if (fault) return refuse(fault)
    switch (action) {
      case 'DescribeStacks': {
        const name = form.get('StackName') ?? ''
        const stack = account.stacks[name]
        if (stack) return xml(200, described(name, stack))
        return refuse({
          status: 400,
          code: 'ValidationError',
          message: `Stack with id ${name} does not exist`,
        })
      }
      case 'GetAccount':
        return json(200, account.ses)
      case 'GetEmailIdentity': {
        const found = account.identities[decodeURIComponent(identity ?? '')]
        if (found) return json(200, found)
        return refuse({ status: 404, code: 'NotFoundException', message: 'does not exist' })
      }
      case 'GetMetricData': {
        const { MetricDataQueries } = JSON.parse(body) as {
          MetricDataQueries: {
            Id: string
            MetricStat: { Metric: { Dimensions: { Value: string }[] } }
          }[]
        }
        return json(200, {
          MetricDataResults: MetricDataQueries.map(({ Id, MetricStat }) => {
            const age = account.ages[MetricStat.Metric.Dimensions[0]?.Value ?? '']
            return { Id, StatusCode: 'Complete', Values: age === undefined ? [] : [age] }
          }),
        })
      }
      case 'DescribeAlarms': {
        const { AlarmNamePrefix } = JSON.parse(body) as { AlarmNamePrefix: string }
        const ringing = Object.entries(account.alarms)
          .filter(([AlarmName]) => AlarmName.startsWith(AlarmNamePrefix))
          .map(([AlarmName, AlarmDescription]) => ({ AlarmName, AlarmDescription }))
        return json(200, { MetricAlarms: ringing })
      }
      default:
        return refuse({ status: 400, code: 'InvalidAction', message: action })
    }
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    account,
    /** Every action that was asked for, in order. */
    actions,
    reset: () => void Object.assign(account, fresh()),
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const cloudformation = 'http://cloudformation.amazonaws.com/doc/2010-05-15/'

/** An account that is ready for everything, with nothing deployed. */
function fresh(): PlayedAccount {
  return {
    stacks: { CDKToolkit: { outputs: { BootstrapVersion: '28' } } },
    ses: {
      EnforcementStatus: 'HEALTHY',
      SendingEnabled: true,
      ProductionAccessEnabled: true,
      SendQuota: { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 12 },
      PricingAttributes: { CurrentPlan: 'NONE' },
    },
    identities: {
      'news.example': {
        VerifiedForSendingStatus: true,
        DkimAttributes: { SigningEnabled: true, Status: 'SUCCESS', Tokens: ['a', 'b', 'c'] },
        MailFromAttributes: {
          MailFromDomain: 'mail.news.example',
          MailFromDomainStatus: 'SUCCESS',
        },
      },
    },
    ages: {},
    alarms: {},
    faults: {},
    skew: 0,
  }
}

function described(name: string, { status = 'CREATE_COMPLETE', outputs = {} }: PlayedStack) {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value.replaceAll('&', '&amp;')}</OutputValue></member>`,
  )
  const id = `arn:aws:cloudformation:eu-central-1:123456789012:stack/${name}/0a1b2c3d`
  return `<DescribeStacksResponse xmlns="${cloudformation}"><DescribeStacksResult><Stacks><member><StackId>${id}</StackId><StackName>${name}</StackName><CreationTime>2026-03-01T08:00:00.000Z</CreationTime><StackStatus>${status}</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`
}
