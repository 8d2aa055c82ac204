import {
  type CloudFormationClient,
  DescribeStacksCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation'
import type { QueueUrls } from '../../functions/aws/sqs-job-queue.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'

/** A deployed stack, by its outputs (`infra/service-stack.ts` writes them). */
export interface DeployedStack {
  name: string
  region: string
  /** Twelve digits. */
  account: string
  /** Where the site stands, without a slash at its end. */
  address: string
  table: string
  bucket: string
  queues: QueueUrls
  /** SES's events, and those of them that were received too often. */
  eventQueues: { events: string; dead: string }
  /** Absent while no sender is set. */
  configurationSet?: string
}

/**
 * Looks a stack up. A change under way is no hindrance: what was there before still works.
 *
 * @throws CliError for one that is not there (5), not finished yet (8), was never made (1), or is
 * none of ours (2); the SDK's own errors travel.
 */
export async function readStack(
  client: CloudFormationClient,
  name: string,
): Promise<DeployedStack> {
  const found = await findStack(client, name)
  if (!found) {
    const region = await client.config.region()
    throw new CliError(
      exitCodes.notFound,
      `There is no stack ${name} in ${region}. Deploy it (${deployCommand(name)}), or name the region that it is in: export AWS_REGION=eu-central-1`,
    )
  }
  return deployedStack(found, name)
}

/** The command that makes or changes a stack of this name. */
export function deployCommand(name: string): string {
  return name === 'Broadsheet' ? 'npx cdk deploy' : `npx cdk deploy -c stack=${name}`
}

/** `undefined` when no stack of that name is in the client's region and account. */
export async function findStack(
  client: CloudFormationClient,
  name: string,
): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
    return Stacks[0]
  } catch (error) {
    // The one answer for what is not there; the name itself was checked before.
    const { name: kind, message } = error as Error
    if (kind === 'ValidationError' && /does not exist/.test(message)) return undefined
    throw error
  }
}

/** What `readStack` makes of CloudFormation's answer. @throws CliError as `readStack` does */
export function deployedStack(found: Stack, name: string): DeployedStack {
  const status = found.StackStatus ?? ''
  if (/^(CREATE|REVIEW|IMPORT|ROLLBACK|DELETE)_IN_PROGRESS$/.test(status)) {
    const state = status === 'DELETE_IN_PROGRESS' ? 'is being deleted' : 'is still being made'
    throw new CliError(
      exitCodes.later,
      `The stack ${name} ${state} (${status}). Try again when \`cdk\` has finished.`,
    )
  }
  if (/^(CREATE_FAILED|ROLLBACK_|DELETE_)/.test(status)) {
    throw new CliError(
      exitCodes.failed,
      `The stack ${name} was never finished (${status}). See why: aws cloudformation describe-stack-events --stack-name ${name}. Then delete it and deploy again: npx cdk destroy`,
    )
  }
  const [, region = '', account = ''] =
    /^arn:[\w-]+:cloudformation:([\w-]+):(\d{12}):/.exec(found.StackId ?? '') ?? []
  const outputs = new Map(
    (found.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  )
  const output = (key: string) => {
    const value = outputs.get(key)
    if (value) return value
    throw usageError(
      `The stack ${name} has no output ${key}: it is none of Broadsheet's, or an earlier version made it. In the latter case deploy it again: ${deployCommand(name)}`,
    )
  }
  const configurationSet = outputs.get('ConfigurationSetName')
  return {
    name,
    region,
    account,
    address: output('SiteUrl').replace(/\/$/, ''),
    table: output('TableName'),
    bucket: output('BucketName'),
    queues: {
      urgent: output('UrgentQueueUrl'),
      work: output('WorkQueueUrl'),
      mail: output('MailQueueUrl'),
      dead: output('DeadQueueUrl'),
    },
    eventQueues: { events: output('EventQueueUrl'), dead: output('DeadEventQueueUrl') },
    ...(configurationSet ? { configurationSet } : {}),
  }
}
