import { sideBySide, type Turn } from '../../turn.ts'
import { claimsUnderWay } from '../runs/claims-under-way.ts'
import type { Run } from '../runs/run.ts'
import { newToken } from './claim-token.ts'
import type { Ledger } from './ledger.ts'
import { resolveNote } from './resolve.ts'

/**
 * Settles the claims of a run that waits for room in the day whose answer was lost: by evidence, or as
 * `unknown` where nobody can tell. Neither needs room; whatever needs a mail is left. Repeatable.
 */
export async function settleParked(
  platform: Ledger['platform'],
  run: Run,
  turn: Turn,
): Promise<void> {
  await sideBySide(claimsUnderWay(platform, run), turn, ({ chunk, item, note }) => {
    const ledger: Ledger = { platform, run, chunk, parcels, newToken, sendsNothing: true }
    return resolveNote(ledger, item, note)
  })
}

const parcels: Ledger['parcels'] = {
  find: () => Promise.reject(new Error('A run that waits for room has nothing composed.')),
}
