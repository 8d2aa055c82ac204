import { awsRefusal } from '../stack/aws-refusal.ts'
import { confirmationsLeave, eventsComeBack, forgetReaders } from './mail-steps.ts'
import {
  booksBalance,
  clockTicks,
  feedIsRendered,
  feedIsServed,
  publishProbe,
  siteAnswers,
  takeProbeBack,
} from './post-steps.ts'
import { type SmokeTest, StepFault, type StepOutcome, type StepReport } from './step.ts'

type Step = readonly [name: string, work: (test: SmokeTest) => Promise<StepOutcome>]

const steps: readonly Step[] = [
  ['site', siteAnswers],
  ['publish', publishProbe],
  ['render', feedIsRendered],
  ['feed', feedIsServed],
  ['clock', clockTicks],
  ['mail', confirmationsLeave],
  ['events', eventsComeBack],
  ['books', booksBalance],
]

/** What is done whatever came before: the service then stands as it did. */
const endings: readonly Step[] = [
  ['withdraw', takeProbeBack],
  ['forget', forgetReaders],
]

/**
 * Tries a deployed service end to end: a post goes in at the site and comes out in its feed, mails
 * leave and SES's events come back. It ends at the first step that fails, and takes back in any case
 * what it made; the probe stands in the feeds of everything for a minute or two.
 *
 * Each step is told as it ends; the answer holds them all.
 */
export async function runSmoke(
  test: SmokeTest,
  tell: (report: StepReport) => void,
): Promise<StepReport[]> {
  const reports: StepReport[] = []
  const take = async ([name, work]: Step) => {
    const report = await tryStep(test, name, work)
    reports.push(report)
    tell(report)
    return report.state !== 'failed'
  }
  try {
    for (const step of steps) if (!(await take(step))) break
  } finally {
    for (const step of endings) await take(step)
  }
  return reports
}

async function tryStep(test: SmokeTest, name: string, work: Step[1]): Promise<StepReport> {
  const begun = performance.now()
  const seconds = () => Math.round((performance.now() - begun) / 100) / 10
  try {
    const outcome = await work(test)
    return typeof outcome === 'string'
      ? { name, state: 'done', seconds: seconds(), message: outcome }
      : { name, state: 'skipped', seconds: seconds(), message: outcome.skipped }
  } catch (error) {
    const { message, look } = faultOf(error, test)
    return { name, state: 'failed', seconds: seconds(), message, look }
  }
}

function faultOf(error: unknown, { stack }: SmokeTest): { message: string; look: string } {
  if (error instanceof StepFault) return error
  if (!(error instanceof Error)) throw error
  const look = `npx broadsheet doctor --stack ${stack.name}`
  return { message: (awsRefusal(error) ?? error).message, look }
}
