import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SESv2Client } from '@aws-sdk/client-sesv2'
import { SQSClient } from '@aws-sdk/client-sqs'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import { senderDomain } from '../../functions/mail/headers.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { CliError } from '../exit.ts'
import { awsRefusal } from '../stack/aws-refusal.ts'
import { type DeployedStack, deployCommand, deployedStack, findStack } from '../stack/read-stack.ts'
import { asked, checkAccount, refusedCheck } from './aws-account.ts'
import { checkSender, checkSesAccount } from './aws-mail.ts'
import { checkAlarms, checkClock, checkQueues, checkSite } from './aws-service.ts'
import { type Check, fault, ok, warning } from './check.ts'
import type { TextRecords } from './mail.ts'

/** The SDK's clients that the checks ask with. */
export interface AwsDoctorClients {
  cloudformation: CloudFormationClient
  cloudwatch: CloudWatchClient
  dynamodb: DynamoDBClient
  sesv2: SESv2Client
  sqs: SQSClient
}

export interface AwsQuestion {
  stack: string
  /** Somebody named the stack: then it has to be there. */
  isNamed: boolean
  settings: Settings
  /** `site.baseUrl` of the configuration, if it has one. */
  wantedAddress?: string
  dns: TextRecords
  now: () => Date
  /** @default those of the caller's credentials and region */
  clients?: AwsDoctorClients
}

/**
 * Looks at an AWS account and a stack in it; before the first deployment at the account alone. It
 * only reads. What cannot be asked, for want of a right, is a warning and stops no other check.
 */
export async function checkAws(question: AwsQuestion): Promise<Check[]> {
  const { settings, dns, now, clients = awsDoctorClients() } = question
  const account = await checkAccount(clients.cloudformation)
  if (!account.isReachable) return account.checks

  const deploy = deployCommand(question.stack)
  const found = await checkStack(clients.cloudformation, question)
  const { stack } = found
  const site = stack ? { ...settings.site, baseUrl: stack.address } : settings.site
  const parts = await Promise.all([
    stack ? checkSite(stack, question.wantedAddress) : [],
    asked('SES', () => checkSesAccount(clients.sesv2, { mail: settings.mail, site })),
    asked('sender', () => checkSender({ client: clients.sesv2, settings, dns, deploy })),
    ...(stack
      ? [
          asked('queues', () => checkQueues(clients, stack, now())),
          asked('last tick', () =>
            checkClock(
              dynamodbRecordStore({ client: clients.dynamodb, table: stack.table, now }),
              stack,
              now(),
            ),
          ),
          asked('alarms', () => checkAlarms(clients.cloudwatch, stack)),
        ]
      : []),
  ])
  return [...account.checks, ...found.checks, ...parts.flat()]
}

function awsDoctorClients(): AwsDoctorClients {
  return {
    cloudformation: new CloudFormationClient({}),
    cloudwatch: new CloudWatchClient({}),
    dynamodb: new DynamoDBClient({}),
    sesv2: new SESv2Client({}),
    sqs: new SQSClient({}),
  }
}

async function checkStack(
  client: CloudFormationClient,
  { stack: name, isNamed, settings }: AwsQuestion,
): Promise<{ checks: Check[]; stack?: DeployedStack }> {
  const deploy = deployCommand(name)
  try {
    const found = await findStack(client, name)
    if (!found) {
      const message = `There is no stack ${name} in ${await client.config.region()}.`
      return { checks: [(isNamed ? fault : warning)('stack', message, deploy)] }
    }
    const stack = deployedStack(found, name)
    const checks = [ok('stack', `${name} (${found.StackStatus})`)]
    if (senderDomain(settings) && !stack.configurationSet) {
      checks.push(
        fault(
          'deployment',
          'It was made before `mail.from` was set: mails stay in the bucket.',
          deploy,
        ),
      )
    }
    return { checks, stack }
  } catch (error) {
    const refusal = error instanceof CliError ? error : awsRefusal(error)
    if (!refusal) throw error
    return { checks: [refusedCheck('stack', refusal.message)] }
  }
}
