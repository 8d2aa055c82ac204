import { join } from 'node:path'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  Code,
  type FunctionOptions,
  Function as LambdaFunction,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { buildDoorway, type DoorwayName, root } from '../bin/bundle.js'
import { tableIndex } from '../functions/aws/table.ts'
import { objectKeys, type objectPrefixes, recordKeys } from '../functions/keys.ts'
import { handlerSeconds, type Queues } from './queues.ts'
import type { Records } from './records.ts'

type Prefix = (typeof objectPrefixes)[number] | typeof objectKeys.inboxRejected
type Verb = 'Get' | 'Put' | 'Delete'

export interface ComputeProps {
  records: Records
  queues: Queues
  /**
   * The site's address where it is known before anything is made: then it is a variable, and each
   * function has it from its first event on.
   */
  address?: string
  /** Name of the parameter that holds it otherwise: as a variable, CloudFront's would close a cycle. */
  addressParameter: string
  /** What the distribution adds to its requests, if there is one. */
  edgeMark?: string
  /** The configuration set whose events come back; absent without a sender. */
  configurationSet?: string
  logDays?: RetentionDays
  /** How many functions deliver a run at once, 2 to 1,000. @default 5 */
  mailWorkers?: number
  /** Megabytes of the function that renders and sends; processor time grows with it. @default 1024 */
  jobsMemory?: number
  /** What a doorway's function runs. @default its bundle, built now */
  code?: (name: DoorwayName) => Code
}

// In a fixed place: source maps name files relative to it, and the same input shall give the same asset.
function builtCode(name: DoorwayName): Code {
  const folder = join(root, 'node_modules/.cache/broadsheet-doorways', name)
  buildDoorway(name, folder)
  return Code.fromAsset(folder)
}

/**
 * What each function does with objects, by where they lie. A write that compares reads, too. Nobody
 * deletes what is stored of a post.
 */
const objectGrants: Record<'web' | 'jobs' | 'clock', Partial<Record<Prefix, readonly Verb[]>>> = {
  web: {
    'posts/': ['Get', 'Put'],
    'public/': ['Get'],
    // It shows a feed that is not rendered yet; a rebuild drops what the last rendering kept.
    'manifests/': ['Get', 'Put', 'Delete'],
    // What an import refuses.
    [objectKeys.inboxRejected]: ['Put'],
    // Mails of a reader who is erased.
    'outbox/': ['Delete'],
  },
  jobs: {
    'posts/': ['Get', 'Put'],
    'public/': ['Get', 'Put', 'Delete'],
    'manifests/': ['Get', 'Put'],
    'inbox/': ['Get', 'Delete'],
    [objectKeys.inboxRejected]: ['Put'],
    'outbox/': ['Get', 'Put'],
  },
  clock: {
    // It publishes what lies in the inbox unnoticed.
    'posts/': ['Put'],
    'inbox/': ['Get', 'Delete'],
    [objectKeys.inboxRejected]: ['Put'],
    // Mails of a reader whose change of address it ends.
    'outbox/': ['Delete'],
  },
}

/** The four doorways into the product code, each with just the grants it needs. */
export class Compute extends Construct {
  readonly web: LambdaFunction
  readonly jobs: LambdaFunction
  readonly clock: LambdaFunction
  readonly feedback: LambdaFunction

  constructor(scope: Construct, id: string, props: ComputeProps) {
    super(scope, id)
    const { records, queues, addressParameter } = props
    const environment: Record<string, string> = {
      BROADSHEET_TABLE: records.table.tableName,
      BROADSHEET_BUCKET: records.bucket.bucketName,
      ...(props.address
        ? { BROADSHEET_ADDRESS: props.address }
        : { BROADSHEET_ADDRESS_PARAMETER: addressParameter }),
      BROADSHEET_QUEUE_URGENT: queues.lanes.urgent.queueUrl,
      BROADSHEET_QUEUE_WORK: queues.lanes.work.queueUrl,
      BROADSHEET_QUEUE_MAIL: queues.lanes.mail.queueUrl,
      BROADSHEET_QUEUE_DEAD: queues.dead.queueUrl,
      ...(props.configurationSet ? { BROADSHEET_CONFIGURATION_SET: props.configurationSet } : {}),
      NODE_OPTIONS: '--enable-source-maps',
    }
    const { code = builtCode, logDays = RetentionDays.ONE_MONTH } = props
    const doorway = (
      id: string,
      name: DoorwayName,
      memorySize: number,
      seconds: number,
      more: FunctionOptions = {},
    ) =>
      new LambdaFunction(this, id, {
        ...more,
        code: code(name),
        handler: 'index.handler',
        runtime: Runtime.NODEJS_24_X,
        architecture: Architecture.ARM_64,
        memorySize,
        timeout: Duration.seconds(seconds),
        environment: {
          ...environment,
          ...(name === 'web' && props.edgeMark ? { BROADSHEET_EDGE: props.edgeMark } : {}),
        },
        logGroup: new LogGroup(this, `${id}Logs`, {
          retention: logDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      })

    this.web = doorway('Web', 'web', 1024, 30)
    this.jobs = doorway('Jobs', 'jobs', props.jobsMemory ?? 1024, handlerSeconds, {
      // A job enqueues what goes on after it, and Lambda would stop such a chain after some sixteen:
      // docs/decisions/0017. What ends it are the records, not the queue.
      recursiveLoop: RecursiveLoop.ALLOW,
    })
    this.clock = doorway('Clock', 'clock', 512, handlerSeconds, {
      // The next tick catches up: Lambda's own two retries would only come between.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    })
    this.feedback = doorway('Feedback', 'feedback', 256, handlerSeconds)

    for (const [name, doorwayFunction] of Object.entries({
      web: this.web,
      jobs: this.jobs,
      clock: this.clock,
      feedback: this.feedback,
    })) {
      doorwayFunction.addToRolePolicy(
        new PolicyStatement({
          actions: [
            'dynamodb:GetItem',
            'dynamodb:BatchGetItem',
            'dynamodb:PutItem',
            'dynamodb:UpdateItem',
            'dynamodb:DeleteItem',
            'dynamodb:Query',
            // Only the log and imports are written so.
            ...(name === 'feedback' ? [] : ['dynamodb:BatchWriteItem']),
          ],
          resources: [records.table.tableArn],
        }),
      )
      if (props.address) continue
      doorwayFunction.addToRolePolicy(
        new PolicyStatement({
          actions: ['ssm:GetParameter'],
          resources: [
            Stack.of(this).formatArn({
              service: 'ssm',
              resource: 'parameter',
              resourceName: addressParameter.replace(/^\//, ''),
            }),
          ],
        }),
      )
    }

    // Only `web` may read the API keys: nothing else ever has to.
    for (const other of [this.jobs, this.clock, this.feedback]) {
      other.addToRolePolicy(
        new PolicyStatement({
          effect: Effect.DENY,
          actions: ['dynamodb:*'],
          resources: [records.table.tableArn],
          conditions: {
            'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': [recordKeys.apiKeys] },
          },
        }),
      )
    }

    // Lists of runs and of deliveries are asked for over the API alone.
    this.web.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: [`${records.table.tableArn}/index/${tableIndex}`],
      }),
    )

    for (const name of ['web', 'jobs', 'clock'] as const) {
      const role = this[name]
      for (const [prefix, verbs] of Object.entries(objectGrants[name])) {
        role.addToRolePolicy(
          new PolicyStatement({
            actions: verbs.map((verb) => `s3:${verb}Object`),
            resources: [records.bucket.arnForObjects(`${prefix}*`)],
          }),
        )
      }
      // Without it S3 answers 403 instead of 404 for what is not there; and with a condition on the
      // prefix, too, since reading an object names none.
      // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
      role.addToRolePolicy(
        new PolicyStatement({ actions: ['s3:ListBucket'], resources: [records.bucket.bucketArn] }),
      )
      for (const queue of Object.values(queues.lanes)) queue.grant(role, 'sqs:SendMessage')
    }

    for (const [lane, queue] of Object.entries(queues.lanes)) {
      this.jobs.addEventSource(
        new SqsEventSource(queue, {
          batchSize: lane === 'mail' ? 1 : 10,
          reportBatchItemFailures: true,
          // Only on this lane: with it set, idle polling never slows down, and costs.
          ...(lane === 'mail' ? { maxConcurrency: props.mailWorkers ?? 5 } : {}),
        }),
      )
    }
  }
}
