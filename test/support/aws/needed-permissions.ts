import { arn, arnOf } from './deployed-policies.ts'
import type { Context, Permission } from './iam-policy.ts'

/** A request as it came, its body read. */
export interface AwsRequest {
  method: string
  /** With its query, without a host. */
  url: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
}

/** What a table, bucket or queue of a test is called in the policies. */
export type NameOf = (name: string) => string

/**
 * What a request has to be allowed, as the service authorization reference lists it. Whatever is not
 * listed here throws: an operation that no test knows must not pass unseen.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function neededPermissions(
  service: string,
  request: AwsRequest,
  nameOf: NameOf,
): Permission[] {
  const needed = services[service]
  if (!needed) throw new Error(`the service ${service} is not known here`)
  return needed(request, nameOf)
}

/** Deployed functions speak TLS, whatever the test's servers do; nobody calls on behalf of a resource. */
const everyRequest: Context = {
  'aws:securetransport': ['true'],
  'aws:sourcearn': [],
  'aws:sourceaccount': [],
}

const services: Readonly<Record<string, (request: AwsRequest, nameOf: NameOf) => Permission[]>> = {
  s3: ofS3,
  dynamodb: ofDynamodb,
  sqs: ofSqs,
  ses: ofSes,
  ssm: ofSsm,
}

const plainHeaders =
  /^x-amz-(date|user-agent|content-sha256|security-token|meta-\w+|checksum-\w+|sdk-checksum-algorithm|trailer|decoded-content-length)$/
const objectQuery = ['x-id']
const listQuery = ['x-id', 'list-type', 'prefix', 'max-keys', 'start-after', 'encoding-type']

function ofS3({ method, url, headers }: AwsRequest, nameOf: NameOf): Permission[] {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const [, bucket = '', key = ''] = /^\/([^/]+)(?:\/(.*))?$/s.exec(pathname) ?? []
  const bucketArn = arnOf['AWS::S3::Bucket'](nameOf(bucket))
  const isList = method === 'GET' && key === '' && searchParams.get('list-type') === '2'
  const asked = isList ? listQuery : objectQuery
  const odd = [
    // A tag, an ACL, a lock, a copy's source: each needs more than the write itself.
    ...Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !plainHeaders.test(name)),
    ...[...searchParams.keys()].filter((name) => !asked.includes(name)),
  ]
  if (odd.length > 0) throw new Error(`S3 is asked with ${odd.join(', ')}`)
  if (isList) {
    const context = {
      ...everyRequest,
      's3:prefix': [searchParams.get('prefix') ?? ''],
      's3:max-keys': searchParams.getAll('max-keys'),
    }
    return [{ action: 's3:ListBucket', resource: bucketArn, context }]
  }
  const resource = `${bucketArn}/${decodeURIComponent(key)}`
  const actions = key === '' ? undefined : objectActions[method]
  if (!actions) throw new Error(`S3 is asked to ${method} ${pathname}`)
  // Who compares learns something of what is there.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
  const compares = method !== 'GET' && method !== 'HEAD' && headers['if-match'] !== undefined
  return [...actions, ...(compares ? ['s3:GetObject'] : [])].map((action) => ({
    action,
    resource,
    context: everyRequest,
  }))
}

const objectActions: Readonly<Record<string, string[]>> = {
  GET: ['s3:GetObject'],
  HEAD: ['s3:GetObject'],
  PUT: ['s3:PutObject'],
  DELETE: ['s3:DeleteObject'],
}

type Item = Record<string, { S?: string }>
interface DynamodbBody {
  TableName?: string
  IndexName?: string
  Key?: Item
  Item?: Item
  KeyConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Item
  RequestItems?: Record<string, unknown>
}

function ofDynamodb(request: AwsRequest, nameOf: NameOf): Permission[] {
  const operation = targetOf(request, 'DynamoDB_20120810.')
  const body = JSON.parse(request.body.toString()) as DynamodbBody
  const permission = (table: string, leading: string[], index?: string): Permission => {
    const tableArn = arnOf['AWS::DynamoDB::GlobalTable'](nameOf(table))
    return {
      action: `dynamodb:${operation}`,
      resource: index === undefined ? tableArn : `${tableArn}/index/${index}`,
      context: { ...everyRequest, 'dynamodb:leadingkeys': leading },
    }
  }
  const { TableName: table = '', IndexName: index, RequestItems: items = {} } = body
  const leadingKey = (item: Item | undefined) => {
    const key = item?.p?.S
    if (key === undefined) throw new Error(`DynamoDB is asked to ${operation} without a key`)
    return key
  }
  switch (operation) {
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [permission(table, [leadingKey(body.Key)])]
    case 'PutItem':
      return [permission(table, [leadingKey(body.Item)])]
    case 'Query':
      return [permission(table, [queriedKey(body)], index)]
    case 'BatchGetItem':
      return Object.entries(items).map(([name, wanted]) =>
        permission(name, (wanted as { Keys: Item[] }).Keys.map(leadingKey)),
      )
    case 'BatchWriteItem':
      return Object.entries(items).map(([name, writes]) =>
        permission(
          name,
          (writes as { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]).map(
            (write) => leadingKey(write.PutRequest?.Item ?? write.DeleteRequest?.Key),
          ),
        ),
      )
    default:
      throw new Error(`DynamoDB is asked to ${operation}`)
  }
}

/** The partition's key in a query of a table or an index. */
function queriedKey(body: DynamodbBody): string {
  const { KeyConditionExpression: condition = '', ExpressionAttributeNames: names = {} } = body
  const [, name = '', value = ''] = /^(#?\w+) = (:\w+)(?= AND |$)/.exec(condition) ?? []
  const key = body.ExpressionAttributeValues?.[value]?.S
  if (!['p', 'ip'].includes(names[name] ?? name) || key === undefined) {
    throw new Error(`DynamoDB is asked to query by ${condition}`)
  }
  return key
}

/** Operations by the action that allows them: what is done in a batch has no action of its own. */
const queueActions: Readonly<Record<string, string>> = {
  SendMessage: 'SendMessage',
  SendMessageBatch: 'SendMessage',
  ReceiveMessage: 'ReceiveMessage',
  DeleteMessage: 'DeleteMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibility: 'ChangeMessageVisibility',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
  GetQueueAttributes: 'GetQueueAttributes',
}

function ofSqs(request: AwsRequest, nameOf: NameOf): Permission[] {
  const operation = targetOf(request, 'AmazonSQS.')
  const action = queueActions[operation]
  if (!action) throw new Error(`SQS is asked to ${operation}`)
  const { QueueUrl = '' } = JSON.parse(request.body.toString()) as { QueueUrl?: string }
  const resource = arnOf['AWS::SQS::Queue'](nameOf(QueueUrl.split('/').at(-1) ?? ''))
  return [{ action: `sqs:${action}`, resource, context: everyRequest }]
}

function ofSes({ body }: AwsRequest): Permission[] {
  const form = new URLSearchParams(body.toString())
  const operation = form.get('Action') ?? ''
  const action = `ses:${operation}`
  if (operation === 'GetSendQuota' || operation === 'GetIdentityVerificationAttributes') {
    return [{ action, resource: '*', context: everyRequest }]
  }
  if (operation !== 'SendRawEmail') throw new Error(`SES is asked to ${operation}`)
  const raw = Buffer.from(form.get('RawMessage.Data') ?? '', 'base64').toString('latin1')
  const source = bareAddress(form.get('Source') ?? '')
  const from = bareAddress(/^From:(.*(?:\r\n[ \t].*)*)/im.exec(raw)?.[1] ?? '')
  const destinations = [...form].flatMap(([name, value]) =>
    name.startsWith('Destinations.member.') ? [bareAddress(value)] : [],
  )
  const set = form.get('ConfigurationSetName')
  const resources = [
    `identity/${source.split('@').pop()}`,
    // Asked in the sandbox, where a recipient has to be an identity of the account.
    ...destinations.map((to) => `identity/${to}`),
    ...(set ? [`configuration-set/${set}`] : []),
  ]
  // Documentation names one sender; the envelope and the header have to pass for it, each.
  return [...new Set([source, from])].flatMap((sender) =>
    resources.map((resource) => ({
      action,
      resource: arn('ses', resource),
      context: {
        ...everyRequest,
        'ses:fromaddress': [sender],
        'ses:recipients': destinations,
      },
    })),
  )
}

function bareAddress(mailbox: string): string {
  return (/<([^<>]*)>\s*$/.exec(mailbox)?.[1] ?? mailbox).trim()
}

function ofSsm(request: AwsRequest): Permission[] {
  const operation = targetOf(request, 'AmazonSSM.')
  const { Name = '' } = JSON.parse(request.body.toString()) as { Name?: string }
  if (operation !== 'GetParameter') throw new Error(`SSM is asked to ${operation}`)
  // The name's own slash is the ARN's.
  const resource = arn('ssm', `parameter/${Name.replace(/^\//, '')}`)
  return [{ action: 'ssm:GetParameter', resource, context: everyRequest }]
}

function targetOf({ headers }: AwsRequest, prefix: string): string {
  const target = String(headers['x-amz-target'] ?? '')
  if (!target.startsWith(prefix)) throw new Error(`a request has the target ${target}`)
  return target.slice(prefix.length)
}
