import { setTimeout as wait } from 'node:timers/promises'
import { readParameter } from './parameter.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** How long an address that was read is good for, milliseconds. */
const freshMilliseconds = 60_000
/** How long an event waits for a new reading before it takes the address known so far. */
const patienceMilliseconds = 2000

/**
 * The site's address as a function knows it: `BROADSHEET_ADDRESS` where the deployment knew it, else
 * the parameter that `BROADSHEET_ADDRESS_PARAMETER` names. That one is read again each minute:
 * an update starts functions before it writes the parameter, and a function that went on with what it
 * read then would name the old address for hours, and render feeds with it that others render anew.
 *
 * The first reading has to succeed. A later one that fails or hangs leaves the address as it is for
 * another minute.
 */
export function siteAddress(
  environment: Environment,
  { now = Date.now, patience = patienceMilliseconds } = {},
): () => Promise<string> {
  const fixed = environment.BROADSHEET_ADDRESS
  if (fixed) return async () => fixed
  const name = environment.BROADSHEET_ADDRESS_PARAMETER
  if (!name) throw new Error('the variable BROADSHEET_ADDRESS_PARAMETER is missing')
  let known: { address: string; at: number } | undefined

  const read = async () => {
    const address = await readParameter(name, environment)
    known = { address, at: now() }
    return address
  }
  return async () => {
    if (!known) return read()
    const { address, at } = known
    if (Math.abs(now() - at) < freshMilliseconds) return address
    // Before the question: a service that does not answer is not asked with each event.
    known = { address, at: now() }
    const waiting = new AbortController()
    try {
      return await Promise.race([
        read().catch(() => address),
        wait(patience, address, { signal: waiting.signal }),
      ])
    } finally {
      waiting.abort()
    }
  }
}
