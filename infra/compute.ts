import { fileURLToPath } from 'node:url'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { objectPrefixes, recordKeys } from '../functions/keys.ts'
import { handlerSeconds, type Queues } from './queues.ts'
import type { Records } from './records.ts'
import { workFilters } from './schedule.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface ComputeProps {
  records: Records
  queues: Queues
  /** Name of the parameter that holds the site's address: as a variable it would close a cycle. */
  addressParameter: string
  /** The configuration set whose events come back; absent without a sender. */
  configurationSet?: string
  logDays?: RetentionDays
}

/** The four doorways into the product code, each with just the grants it needs. */
export class Compute extends Construct {
  readonly web: NodejsFunction
  readonly jobs: NodejsFunction
  readonly clock: NodejsFunction
  readonly feedback: NodejsFunction

  constructor(scope: Construct, id: string, props: ComputeProps) {
    super(scope, id)
    const { records, queues, addressParameter } = props
    const environment: Record<string, string> = {
      BROADSHEET_TABLE: records.table.tableName,
      BROADSHEET_BUCKET: records.bucket.bucketName,
      BROADSHEET_ADDRESS_PARAMETER: addressParameter,
      BROADSHEET_QUEUE_URGENT: queues.lanes.urgent.queueUrl,
      BROADSHEET_QUEUE_WORK: queues.lanes.work.queueUrl,
      BROADSHEET_QUEUE_MAIL: queues.lanes.mail.queueUrl,
      BROADSHEET_QUEUE_DEAD: queues.dead.queueUrl,
      ...(props.configurationSet ? { BROADSHEET_CONFIGURATION_SET: props.configurationSet } : {}),
      NODE_OPTIONS: '--enable-source-maps',
    }
    const doorway = (name: string, memorySize: number, seconds: number) =>
      new NodejsFunction(this, name, {
        entry: `${root}functions/aws/${name.toLowerCase()}.lambda.ts`,
        handler: 'handler',
        runtime: Runtime.NODEJS_24_X,
        architecture: Architecture.ARM_64,
        memorySize,
        timeout: Duration.seconds(seconds),
        environment,
        logGroup: new LogGroup(this, `${name}Logs`, {
          retention: props.logDays ?? RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        projectRoot: root,
        depsLockFilePath: `${root}package-lock.json`,
        bundling: {
          format: OutputFormat.ESM,
          target: 'node24',
          minify: true,
          sourceMap: true,
          sourcesContent: false,
          // The SDK is bundled: what was tested is what is deployed, not what the runtime brings.
          externalModules: [],
          banner:
            "import{createRequire as bundleRequire}from'node:module';const require=bundleRequire(import.meta.url);",
          esbuildArgs: { '--jsx': 'automatic', '--jsx-import-source': 'hono/jsx' },
          commandHooks: {
            beforeInstall: () => [],
            beforeBundling: () => [],
            // The publisher's configuration travels with the deployment.
            afterBundling: (input, output) => [`cp ${input}/broadsheet.yaml ${output}/`],
          },
        },
      })

    this.web = doorway('Web', 1024, 30)
    this.jobs = doorway('Jobs', 1024, handlerSeconds)
    this.clock = doorway('Clock', 512, handlerSeconds)
    this.feedback = doorway('Feedback', 256, handlerSeconds)

    for (const doorwayFunction of [this.web, this.jobs, this.clock, this.feedback]) {
      records.table.grantReadWriteData(doorwayFunction)
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
      for (const prefix of objectPrefixes) records.bucket.grantReadWrite(reader, `${prefix}*`)
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
          ...(lane === 'mail' ? { maxConcurrency: 5 } : {}),
          ...(lane === 'work' ? { filters: workFilters } : {}),
        }),
      )
    }
  }
}
