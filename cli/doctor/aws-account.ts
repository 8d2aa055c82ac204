import type { CloudFormationClient, Stack } from '@aws-sdk/client-cloudformation'
import { type CliError, exitCodes } from '../exit.ts'
import { awsRefusal } from '../stack/aws-refusal.ts'
import { findStack } from '../stack/read-stack.ts'
import { type Check, fault, ok } from './check.ts'

/** What `cdk deploy` asks of the bootstrap: `requiresBootstrapStackVersion` in the manifest that it writes. */
const leastBootstrap = 6
/** From five minutes on AWS refuses what is signed; links and mails are wrong before that. */
const mostSkewSeconds = 30

/** What was found of the account; without `bootstrap` nothing else can be asked, and `checks` say why. */
export interface AccountFindings {
  checks: Check[]
  isReachable: boolean
}

/**
 * Whether AWS knows the caller, in which region, whether the clocks agree, and whether the account
 * is ready for CDK. Asks one thing that every deploying caller may: the stack `CDKToolkit`.
 */
export async function checkAccount(client: CloudFormationClient): Promise<AccountFindings> {
  const skew = watchClock(client)
  try {
    const toolkit = await findStack(client, 'CDKToolkit')
    const region = await client.config.region()
    const account = accountOf(toolkit)
    return {
      checks: [
        ok('credentials', account ? `of account ${account}` : 'AWS takes them'),
        ok('region', region),
        clockCheck(skew()),
        bootstrapCheck(toolkit, account, region),
      ],
      isReachable: true,
    }
  } catch (error) {
    const refusal = awsRefusal(error)
    if (!refusal) throw error
    return { checks: [refusedCheck(subjectOf(refusal), refusal.message)], isReachable: false }
  }
}

function subjectOf({ exit }: CliError): string {
  if (exit === exitCodes.usage) return 'region'
  return exit === exitCodes.notAllowed ? 'credentials' : 'AWS'
}

/**
 * A fault whose message ends with what to do about it, as `awsRefusal` writes them: the first
 * sentence is what was found, the rest is the way out.
 */
export function refusedCheck(name: string, message: string): Check {
  const end = /\.\s/.exec(message)?.index
  if (end === undefined) return fault(name, message, 'aws sts get-caller-identity')
  return fault(name, message.slice(0, end + 1), message.slice(end + 1).trim())
}

/**
 * The questions of one subject. What the caller may not ask becomes a warning, and any other answer
 * of AWS's a fault: neither stops the questions of other subjects.
 */
export async function asked(name: string, questions: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await questions()
  } catch (error) {
    const refusal = awsRefusal(error)
    if (refusal) return [{ ...refusedCheck(name, refusal.message), state: 'warning' }]
    if (!(error instanceof Error && '$metadata' in error)) throw error
    const message = `AWS answered with ${error.name}: ${error.message}`
    return [
      fault(name, message, 'Was something of the stack deleted? Deploy it again: npx cdk deploy'),
    ]
  }
}

function accountOf(stack: Stack | undefined): string | undefined {
  return /^arn:[\w-]+:cloudformation:[\w-]+:(\d{12}):/.exec(stack?.StackId ?? '')?.[1]
}

function bootstrapCheck(toolkit: Stack | undefined, account: string | undefined, region: string) {
  const command = `npx cdk bootstrap${account ? ` aws://${account}/${region}` : ''}`
  if (!toolkit) {
    return fault(
      'bootstrap',
      `CDK is not set up in ${region}; it is, once an account and region.`,
      command,
    )
  }
  const version = Number(
    toolkit.Outputs?.find(({ OutputKey }) => OutputKey === 'BootstrapVersion')?.OutputValue,
  )
  if (!(version >= leastBootstrap)) {
    return fault(
      'bootstrap',
      `CDK was set up by a version that is too old (${version || 'unknown'}, at least ${leastBootstrap} is needed).`,
      command,
    )
  }
  return ok('bootstrap', `version ${version}`)
}

function clockCheck(seconds: number | undefined): Check {
  if (seconds === undefined || Math.abs(seconds) <= mostSkewSeconds) {
    return ok('clock', 'agrees with that of AWS')
  }
  return fault(
    'clock',
    `This machine is ${Math.round(Math.abs(seconds))} seconds ${seconds > 0 ? 'ahead' : 'behind'}; signatures and links go wrong.`,
    'sudo timedatectl set-ntp true',
  )
}

/** By how many seconds this machine is ahead of the last answer's `Date`, which has whole seconds. */
function watchClock(client: CloudFormationClient): () => number | undefined {
  let ahead: number | undefined
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { headers } = result.response as { headers?: Record<string, string> }
      const date = Date.parse(headers?.date ?? '')
      if (!Number.isNaN(date)) ahead = (Date.now() - date) / 1000
      return result
    },
    { step: 'deserialize', name: 'watchClock', override: true },
  )
  return () => ahead
}
