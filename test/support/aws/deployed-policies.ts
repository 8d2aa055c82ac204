import type { Template } from 'aws-cdk-lib/assertions'
import type { Statement } from './iam-policy.ts'
import { short } from './readable-template.ts'
import { type Resource, resources } from './stack-template.ts'

/** An account, and a region, that the template is read for. */
export const account = '123456789012'
export const region = 'eu-central-1'
/** The part of the stack's id that no template holds. */
export const stackMark = '51af3dc0-da77-11e4-872e-1234567db123'

const known: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/Broadsheet/${stackMark}`,
}

/** What AWS writes itself: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html */
const managed: Readonly<Record<string, Statement[]>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: '*',
    },
  ],
}

/** The kinds of policies that resources have. */
const resourcePolicies: readonly string[] = [
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::SNS::TopicPolicy',
]

/** ARN of a resource of the stack by its type and the name that its id is (`short`). */
export const arnOf = {
  'AWS::S3::Bucket': (name: string) => `arn:aws:s3:::${name}`,
  'AWS::DynamoDB::GlobalTable': (name: string) => arn('dynamodb', `table/${name}`),
  'AWS::SQS::Queue': (name: string) => arn('sqs', name),
  'AWS::SNS::Topic': (name: string) => arn('sns', name),
  'AWS::Lambda::Function': (name: string) => arn('lambda', `function:${name}`),
  'AWS::Events::Rule': (name: string) => arn('events', `rule/${name}`),
  'AWS::IAM::Role': (name: string) => `arn:aws:iam::${account}:role/${name}`,
} as const

export function arn(service: string, rest: string): string {
  return `arn:aws:${service}:${region}:${account}:${rest}`
}

type Role = 'ComputeWeb' | 'ComputeJobs' | 'ComputeClock' | 'ComputeFeedback'

/**
 * The policies of a template with every reference resolved: each resource is named by its id, without
 * the hash. Whatever grants something in a way that is not read here throws.
 */
export function deployedPolicies(template: Template) {
  const all = resources(template)
  for (const [id, resource] of all) assertRead(id, resource)
  const types = new Map(all.map(([id, { Type }]) => [id, Type]))

  const resolve = (value: unknown): unknown => resolved(value, types)
  const named = (name: string, type: string) => {
    const found = all.find(([id, { Type }]) => Type === type && short(id) === name)
    if (!found) throw new Error(`the template has no ${type} ${name}`)
    return found
  }

  /** What a role is allowed by its own policies. */
  function ofRole(name: string): Statement[] {
    const [id, { Properties }] = named(name, 'AWS::IAM::Role')
    const { ManagedPolicyArns = [], Policies = [] } = resolve(Properties) as {
      ManagedPolicyArns?: string[]
      Policies?: { PolicyDocument: Document }[]
    }
    const attached = all
      .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
      .map(
        ([, policy]) =>
          policy.Properties as unknown as { Roles?: { Ref: string }[]; PolicyDocument: unknown },
      )
      .filter(({ Roles = [] }) => Roles.some(({ Ref }) => Ref === id))
    return [
      ...ManagedPolicyArns.flatMap((policy) => managed[policy] ?? unread(policy)),
      ...Policies.flatMap(({ PolicyDocument }) => statementsIn(PolicyDocument)),
      ...attached.flatMap(({ PolicyDocument }) => statementsIn(resolve(PolicyDocument))),
    ]
  }

  /** What the policies of all resources say, each of itself. */
  const ofResources = all
    .filter(([, { Type }]) => resourcePolicies.includes(Type))
    .flatMap(([, { Properties }]) =>
      statementsIn(resolve((Properties as unknown as { PolicyDocument: unknown }).PolicyDocument)),
    )

  return {
    /** The function's role by the function's id. */
    ofFunction(name: Role): Statement[] {
      const [, { Properties }] = named(name, 'AWS::Lambda::Function')
      const { Role: role } = Properties as { Role?: { 'Fn::GetAtt': [string, string] } }
      const [id] = role?.['Fn::GetAtt'] ?? unread(`${name} without a role`)
      return ofRole(short(id))
    },
    ofRole,
    ofResources,
    /** What may take a role on, and how. */
    trustOf(name: string): Statement[] {
      const [, { Properties }] = named(name, 'AWS::IAM::Role')
      const { AssumeRolePolicyDocument } = resolve(Properties) as {
        AssumeRolePolicyDocument: { Statement: Omit<Statement, 'Resource'>[] }
      }
      // A trust policy is about the one role that it hangs on.
      return AssumeRolePolicyDocument.Statement.map((one) => ({ ...one, Resource: '*' }))
    },
    /** The resources of a type, by name, with their properties resolved. */
    allOf: (type: string) =>
      all
        .filter(([, { Type }]) => Type === type)
        .map(([id, { Properties }]) => ({
          name: short(id),
          properties: resolve(Properties) as Record<string, unknown>,
        })),
    /** The variables of a function; `refer` says what stands for a resource that is referred to. */
    variablesOf(name: Role, refer: (name: string) => string): Record<string, string> {
      const [, { Properties }] = named(name, 'AWS::Lambda::Function')
      const { Environment } = Properties as unknown as {
        Environment: { Variables: Record<string, unknown> }
      }
      return resolved(Environment.Variables, types, refer) as Record<string, string>
    },
  }
}

interface Document {
  Version?: string
  Statement?: Statement[]
}

function statementsIn(document: unknown): Statement[] {
  const { Version, Statement: statements } = document as Document
  if (Version !== '2012-10-17' || !Array.isArray(statements)) unread(JSON.stringify(document))
  return statements ?? []
}

/** Everything that can grant or deny is of a kind that is read above. */
function assertRead(id: string, { Type, Properties = {} as never }: Resource) {
  const isRead =
    resourcePolicies.includes(Type) || Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::Role'
  if (
    !isRead &&
    (Type.startsWith('AWS::IAM::') || JSON.stringify(Properties).includes('"Statement"'))
  ) {
    unread(`${id}, of type ${Type}`)
  }
  if ('PermissionsBoundary' in Properties) unread(`the boundary of ${id}`)
}

function unread(what: string): never {
  throw new Error(`the template grants by ${what}, which is not read here`)
}

function resolved(
  value: unknown,
  types: ReadonlyMap<string, string>,
  refer?: (name: string) => string,
): unknown {
  const inner = (part: unknown): unknown => resolved(part, types, refer)
  if (Array.isArray(value)) return value.map(inner)
  if (value === null || typeof value !== 'object') return value
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value)
  if (others.length > 0 || !/^(Ref|Fn::)/.test(name)) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inner(part)]))
  }
  switch (name) {
    case 'Ref':
      return known[argument] ?? (refer ?? referenceTo(types.get(argument)))(short(argument))
    case 'Fn::GetAtt': {
      const [id = '', attribute] = argument as string[]
      const makeArn = arnOf[types.get(id) as keyof typeof arnOf]
      if (attribute === 'Arn' && makeArn) return makeArn(short(id))
      return `\${${short(id)}.${attribute}}`
    }
    case 'Fn::Join':
      return (inner(argument[1]) as string[]).join(argument[0])
    case 'Fn::Split':
      return (inner(argument[1]) as string).split(argument[0])
    case 'Fn::Select':
      return (inner(argument[1]) as string[])[Number(argument[0])]
    default:
      throw new Error(`the template uses ${name}, which is not read here`)
  }
}

/** `Ref` of a topic is its ARN; of the others that policies name, their name. */
function referenceTo(type: string | undefined): (name: string) => string {
  return type === 'AWS::SNS::Topic' ? arnOf[type] : (name) => name
}
