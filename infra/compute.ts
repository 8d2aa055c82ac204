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
import { objectPrefixes, recordKeys } from '../functions/keys.ts'
import { handlerSeconds, type Queues } from './queues.ts'
import type { Records } from './records.ts'

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

    for (const doorwayFunction of [this.web, this.jobs, this.clock, this.feedback]) {
      doorwayFunction.addToRolePolicy(
        new PolicyStatement({
          actions: [
            'dynamodb:GetItem',
            'dynamodb:BatchGetItem',
            'dynamodb:PutItem',
            'dynamodb:BatchWriteItem',
            'dynamodb:UpdateItem',
            'dynamodb:DeleteItem',
            'dynamodb:Query',
          ],
          resources: [records.table.tableArn, `${records.table.tableArn}/index/${tableIndex}`],
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

    for (const reader of [this.web, this.jobs, this.clock]) {
      reader.addToRolePolicy(
        new PolicyStatement({
          actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
          resources: objectPrefixes.map((prefix) => records.bucket.arnForObjects(`${prefix}*`)),
        }),
      )
      // Without it S3 answers 403 instead of 404 for what is not there; and with a condition on the
      // prefix, too, since reading an object names none.
      // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
      reader.addToRolePolicy(
        new PolicyStatement({ actions: ['s3:ListBucket'], resources: [records.bucket.bucketArn] }),
      )
    }
    for (const queue of Object.values(queues.lanes)) {
      queue.grantSendMessages(this.web)
      queue.grantSendMessages(this.clock)
      queue.grantSendMessages(this.jobs)
    }
    queues.dead.grantConsumeMessages(this.web)

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
