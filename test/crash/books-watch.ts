import type { Random } from '../support/seeded-random.ts'
import type { CrashRun, RunView } from './crash-run.ts'
import { ProcessDied } from './service-process.ts'

interface DeliveryView {
  id: string
  runId: string
  subscriberId: string
  state: string
}

export interface BooksWatch {
  readonly faults: string[]
  /** Looks that were answered. */
  samples(): number
  stop(): Promise<void>
}

/**
 * Reads the books at random moments while everything goes on: the sum is the candidates, numbers
 * that only grow never fall, settled rows stay as they are but for late evidence and retries, and
 * what the books call accepted has come, what they call failed has not.
 */
export function watchBooks(run: CrashRun, random: Random, pauseMs = 40): BooksWatch {
  const { service, mailbox } = run
  const faults: string[] = []
  const deliveries = new Map<string, DeliveryView>()
  const books = new Map<string, Record<string, number>>()
  let samples = 0
  let isStopped = false

  async function look(): Promise<void> {
    const { items } = await service.api<{ items: RunView[] }>('GET', '/api/v1/runs?limit=60')
    for (const one of items) checkBooks(one)
    // Those at work are the ones in which something can be seen.
    const open = items.filter(({ state }) => state === 'planned' || state === 'sending')
    const from = open.length > 0 && random.next() < 0.7 ? open : items
    const chosen = from[random.below(from.length)]
    if (chosen) {
      checkBooks(await service.api<RunView>('GET', `/api/v1/runs/${chosen.id}`))
      await checkPage(chosen)
    }
    samples++
  }

  function checkBooks({ id, counts }: RunView): void {
    const { candidates = 0, ...parts } = counts
    const sum = Object.values(parts).reduce((a, b) => a + b, 0)
    if (sum !== candidates) faults.push(`${id}: ${JSON.stringify(counts)} does not balance`)
    const before = books.get(id)
    for (const name of ['candidates', 'accepted', 'empty', 'suppressed']) {
      const [was = 0, is = 0] = [before?.[name], counts[name]]
      if (is < was) faults.push(`${id}: ${name} fell from ${was} to ${is}`)
    }
    books.set(id, counts)
  }

  async function checkPage({ id, counts }: RunView): Promise<void> {
    // A page from anywhere: where it begins is a chunk and a place in it.
    const place = random.below(Math.max(counts.candidates ?? 0, 1))
    const cursor = `${Math.floor(place / 500)}.${place % 500}`
    const wereThere = new Set(mailbox.look().keys())
    const page = await service.api<{ items: DeliveryView[] }>(
      'GET',
      `/api/v1/runs/${id}/deliveries?limit=100&cursor=${cursor}`,
    )
    const received = mailbox.look()
    for (const one of page.items) {
      const key = `${one.runId} ${one.subscriberId}`
      const before = deliveries.get(key)
      if (before && !mayBecome(before, one)) {
        faults.push(`${one.id} went from ${before.state} to ${one.state}`)
      }
      deliveries.set(key, one)
      if (one.state === 'accepted' && !received.has(one.id) && !isErased(one.subscriberId)) {
        faults.push(`${one.id} is called accepted and has not come`)
      }
      const isNoMail = ['failed', 'empty', 'suppressed'].includes(one.state)
      if (isNoMail && wereThere.has(one.id))
        faults.push(`${one.id} came and is called ${one.state}`)
      if (one.state === 'unknown' && mailbox.hasEvidence) faults.push(`${one.id} is unknown`)
    }
  }

  function isErased(readerId: string): boolean {
    for (const { id, isErased } of run.everyone.values())
      if (id === readerId) return isErased === true
    return false
  }

  async function watch(): Promise<void> {
    while (!isStopped) {
      await new Promise((resolve) => setTimeout(resolve, random.below(2 * pauseMs)))
      if (!service.isReady()) continue
      try {
        await look()
      } catch (error) {
        if (!(error instanceof ProcessDied)) throw error
      }
    }
  }

  const watching = watch().catch((error) => {
    faults.push(`the books cannot be read: ${error}`)
  })
  return {
    faults,
    samples: () => samples,
    stop: async () => {
      isStopped = true
      await watching
    },
  }
}

/** Settled is settled, but for late evidence and a later try. */
function mayBecome(before: DeliveryView, after: DeliveryView): boolean {
  if (before.state === after.state || before.state === 'pending') return true
  if (before.state === 'unknown') return after.state === 'accepted'
  if (before.state === 'failed')
    return after.state === 'accepted' || after.state === 'pending' || before.id !== after.id
  return false
}
