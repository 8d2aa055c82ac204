import type { AwsPlatform } from '../../functions/aws/platform.ts'
import type { Connection } from '../connection.ts'
import type { DeployedStack } from '../stack/read-stack.ts'

/** What the steps of one smoke test share. */
export interface SmokeTest {
  stack: Pick<DeployedStack, 'name' | 'address'>
  connection: Connection
  platform: Pick<AwsPlatform, 'objects' | 'records' | 'mailer' | 'secrets' | 'now' | 'version'>
  /** Tells this test's post and addresses from those of any other: lower-case letters and digits. */
  mark: string
  /** Lets so many seconds pass; rejects when the person has had enough. */
  pause(seconds: number): Promise<void>
}

/** How one step went. */
export interface StepReport {
  name: string
  state: 'done' | 'failed' | 'skipped'
  seconds: number
  message: string
  /** Where to look, when it failed. */
  look?: string
}

/** What a step says of itself when it is done; a skipped one says why. */
export type StepOutcome = string | { skipped: string }

/** A step that failed: what was found, and where to look. */
export class StepFault extends Error {
  override readonly name = 'StepFault'
  readonly look: string

  constructor(message: string, look: string) {
    super(message)
    this.look = look
  }
}

/**
 * Looks again and again, `every` so many seconds, until there is something; at most for `seconds`,
 * counted by the pauses.
 *
 * @throws StepFault
 */
export async function until<T>(
  { pause }: Pick<SmokeTest, 'pause'>,
  look: () => Promise<T | undefined>,
  limit: { seconds: number; every: number; otherwise: () => StepFault },
): Promise<T> {
  for (let waited = 0; ; waited += limit.every) {
    const found = await look()
    if (found !== undefined) return found
    if (waited >= limit.seconds) throw limit.otherwise()
    await pause(limit.every)
  }
}

/**
 * A request to the deployed site, as anyone would send it.
 *
 * @throws StepFault when it does not answer within ten seconds
 */
export async function atSite(
  { stack }: Pick<SmokeTest, 'stack'>,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  try {
    return await fetch(`${stack.address}${path}`, { ...init, signal: AbortSignal.timeout(10_000) })
  } catch {
    throw new StepFault(
      `${stack.address}${path} does not answer.`,
      `curl -i ${stack.address}/healthz`,
    )
  }
}
