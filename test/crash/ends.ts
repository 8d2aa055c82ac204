import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CrashRun, RunView } from './crash-run.ts'
import { claimsUnderWay, ledgerRows, numbersOfPosts, storedRuns } from './data-folder.ts'
import { isOwed } from './newsroom.ts'

const bin = fileURLToPath(new URL('../../bin/broadsheet.js', import.meta.url))

export interface End {
  faults: string[]
  deliveries: number
  accepted: number
  failed: number
  unknown: number
  mails: number
  posts: number
}

/**
 * After everything: each reader owed a post has got it exactly once, and the books, the rows and the
 * mailbox say the same. Without evidence a post may lie in a delivery that the books call unknown.
 */
export async function checkEnd(run: CrashRun): Promise<End> {
  const { data, mailbox, everyone, published } = run
  const received = mailbox.look({ again: true })
  const rows = ledgerRows(data)
  const faults: string[] = []

  const byReader = Map.groupBy(received.values(), ({ to }) => to)
  const unknown = rows.filter(({ outcome }) => outcome === 'unknown')
  const unknownOf = Map.groupBy(unknown, ({ subscriberId }) => subscriberId)
  const numbers = numbersOfPosts(data)
  for (const reader of everyone.values()) {
    const mails = (byReader.get(reader.email) ?? []).filter(({ link }) => !link)
    const came = mails.flatMap(({ posts }) => posts)
    for (const post of new Set(came)) {
      const times = came.filter((one) => one === post).length
      if (times > 1) faults.push(`${reader.email} got ${post} ${times} times`)
    }
    if (reader.isLoose) continue
    for (const post of published) {
      if (post.round < reader.owedFrom || came.includes(post.id) || !isOwed(reader, post)) continue
      const n = numbers.get(post.id) ?? 0
      const isHeld = unknownOf
        .get(reader.id)
        ?.some(({ from, to }) => (from === undefined ? n === to : n > from && n <= to))
      if (!isHeld) faults.push(`${reader.email} never got ${post.id}`)
    }
    const owed = new Set(published.filter((post) => isOwed(reader, post)).map(({ id }) => id))
    for (const post of came) {
      // What is taken back may have reached those who read at once.
      if (!owed.has(post) && !post.startsWith('ghost'))
        faults.push(`${reader.email} got ${post}, which was not owed`)
    }
  }

  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const { id, times, link } of received.values()) {
    if (times > 1) faults.push(`${id} came ${times} times`)
    const row = byId.get(id)
    if (link || id.startsWith('confirm_')) continue
    if (!row) faults.push(`${id} came and has no row`)
    else if (row.outcome !== 'accepted' && (mailbox.hasEvidence || row.outcome !== 'unknown')) {
      faults.push(`${id} came and its row says ${row.outcome}`)
    }
  }
  const erased = new Set(
    [...everyone.values()].filter(({ isErased }) => isErased).map(({ id }) => id),
  )
  for (const { id, outcome, subscriberId } of rows) {
    const mayBeGone = received.has(id) || erased.has(subscriberId)
    if (outcome === 'accepted' && !mayBeGone) faults.push(`${id} is accepted and never came`)
    if (outcome === 'unknown' && mailbox.hasEvidence) faults.push(`${id} is unknown`)
  }
  faults.push(...claimsUnderWay(data).map((token) => `claim ${token} has no end`))
  faults.push(...(await bookFaults(run)))
  const count = (outcome: string) => rows.filter((row) => row.outcome === outcome).length
  return {
    faults,
    deliveries: rows.length,
    accepted: count('accepted'),
    failed: count('failed'),
    unknown: unknown.length,
    mails: received.size,
    posts: published.length,
  }
}

interface DeliveriesPage {
  items: { id: string }[]
  cursor?: string
}

/** Each run's books, in the API and on the command line, against its rows. */
async function bookFaults({ api, data, cwd }: CrashRun): Promise<string[]> {
  const rows = Map.groupBy(ledgerRows(data), ({ run }) => run)
  const faults: string[] = []
  let longest = { id: '', deliveries: 0 }
  for (const { id } of storedRuns(data)) {
    const { counts, state } = await api<RunView>('GET', `/api/v1/runs/${id}`)
    const own = rows.get(id) ?? []
    if (own.length > longest.deliveries) longest = { id, deliveries: own.length }
    for (const [name, n] of Object.entries(counts)) {
      const real =
        name === 'candidates' ? own.length : own.filter(({ outcome }) => outcome === name).length
      if (n !== real) faults.push(`${id} (${state}) says ${n} ${name}, and there are ${real}`)
    }
    const unknown = own.filter(({ outcome }) => outcome === 'unknown').map((row) => row.id)
    if (unknown.length > 0) {
      const listed = new Set<string>()
      let cursor: string | undefined = ''
      while (cursor !== undefined) {
        const path: string = `/api/v1/runs/${id}/deliveries?state=unknown&limit=1000&cursor=${cursor}`
        const page: DeliveriesPage = await api('GET', path)
        for (const item of page.items) listed.add(item.id)
        cursor = page.cursor
      }
      for (const one of unknown)
        if (!listed.has(one)) faults.push(`${one} is unknown and not listed`)
    }
  }
  const shown = await run(['runs', 'show', longest.id, '--json'], cwd)
  const { counts } = await api<RunView>('GET', `/api/v1/runs/${longest.id}`)
  for (const [name, n] of Object.entries(counts)) {
    if (shown.counts[name] !== n) faults.push(`\`runs show\` says ${shown.counts[name]} ${name}`)
  }
  return faults
}

async function run(args: readonly string[], cwd: string): Promise<RunView> {
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { cwd })
  return JSON.parse(stdout) as RunView
}
