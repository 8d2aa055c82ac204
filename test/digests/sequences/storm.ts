import { countsOf } from '../../../functions/digests/runs/books.ts'
import { pauseRun, resumeRun, retryRun } from '../../../functions/digests/runs/control-run.ts'
import { makeInstantRun } from '../../../functions/digests/runs/make-runs.ts'
import type { Delivery, Run } from '../../../functions/digests/runs/run.ts'
import { getRun, isOver, listOpenRuns, rowsOf } from '../../../functions/digests/runs/run-store.ts'
import { runJob } from '../../../functions/jobs.ts'
import { everything, letterRunId, recordKeys } from '../../../functions/keys.ts'
import type { Mailer, OutgoingMessage, Platform, SendOutcome } from '../../../functions/platform.ts'
import { identityHash, postIdOf } from '../../../functions/posts/identity.ts'
import { readLog } from '../../../functions/posts/log.ts'
import { getPosts } from '../../../functions/posts/post.ts'
import { pauseSending, resumeSending } from '../../../functions/sending.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import { tick } from '../../../functions/tick.ts'
import { mortal } from '../../support/mortal-platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { chunksOf } from '../chunks-of.ts'
import { mailText, openNewsroom } from './newsroom-days.ts'
import { names, rules, type Step, settings } from './newsroom-steps.ts'
import { reckoning } from './reckoning.ts'

type Fate = Extract<Step, { do: 'weather' }>['fate']

const hourMs = 3_600_000
const lease = { limit: 10, leaseSeconds: 120 }

/** The days of a publisher and three readers while everything fails now and then. */
export async function storm(begin: string) {
  const { stand, told, look, leaves, missing } = reckoning(rules)
  const newsroom = openNewsroom(told)
  const fates = new Map<string, Fate>()
  const sent: OutgoingMessage[] = []
  const faults: string[] = []
  const mailer: Mailer = {
    name: 'scripted',
    send,
    quota: async () => ({}),
    evidence: async (id) =>
      sent.some(({ deliveryId }) => deliveryId === id) ? 'accepted' : 'none',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: true,
  }
  const scratch = await scratchPlatform({ now: begin, mailer, settings })
  const platform: ScratchPlatform = {
    ...scratch,
    jobs: {
      ...scratch.jobs,
      // Feeds and pages have tests of their own.
      enqueue: (jobs, options) =>
        scratch.jobs.enqueue(
          jobs.filter(({ kind }) => kind !== 'regenerate' && kind !== 'post-pages'),
          options,
        ),
    },
  }
  let now = Date.parse(begin)
  /** Deliveries that an address refused for now, by reader. */
  const refusals = new Map<string, Set<string>>()
  const suppressed = new Set<string>()
  let deathAfter = 0
  let lastHead = 0

  async function send(message: OutgoingMessage): Promise<SendOutcome> {
    const [, runId = '', readerId = ''] =
      /^(.*)_\d+_([0-9a-f]{32})_\d+$/.exec(message.deliveryId) ?? []
    const name =
      newsroom.nameOfId.get(readerId) ?? names.find((n) => message.to.startsWith(n)) ?? ''
    const fate = fates.get(name) ?? 'sent'
    if (fate === 'rejected') return { status: 'rejected', reason: 'no' }
    if (fate === 'broken') return { status: 'unclear', reason: 'broken' }
    if (fate === 'deferred')
      refusals.set(name, (refusals.get(name) ?? new Set()).add(message.deliveryId))
    if (fate === 'deferred' || fate === 'busy') {
      return {
        status: 'deferred',
        reason: fate,
        retryAfterSeconds: 60,
        address: fate === 'deferred',
      }
    }
    const run = (await getRun(platform, runId))?.value
    if (sent.some(({ deliveryId }) => deliveryId === message.deliveryId)) {
      faults.push(`${message.deliveryId} left twice`)
    }
    sent.push(message)
    faults.push(...(run ? leaves(name, run, mailText(message.raw).titles) : ['a mail of no run']))
    return fate === 'lost' ? { status: 'unclear', reason: 'lost' } : { status: 'sent' }
  }

  /** Until its death every part of the service works; after it nothing does. */
  async function alive(work: (platform: Platform) => Promise<void>): Promise<void> {
    const mortality = mortal(platform, deathAfter)
    deathAfter = 0
    try {
      await work(mortality.platform)
    } catch (fault) {
      if (!mortality.isDead()) throw fault
    }
  }

  /** Two workers beside each other, until no job waits. */
  async function work(on: Platform): Promise<void> {
    const worker = async () => {
      for (let isDry = false; !isDry; ) {
        isDry = true
        for (const lane of ['urgent', 'work', 'mail'] as const) {
          for (const { job, receipt } of await on.jobs.receive(lane, lease)) {
            isDry = false
            await runJob(on, job)
            await on.jobs.complete(receipt)
          }
        }
      }
    }
    await Promise.all([worker(), worker()])
  }

  async function tickAndWork(ticks: number, works = true): Promise<void> {
    await alive(async (on) => {
      await Promise.all(Array.from({ length: ticks }, () => tick(on)))
      if (works) await mirror()
      if (works) await work(on)
    })
  }

  /** Numbers, posts and ends of pauses as the service has them: they have oracles of their own. */
  async function mirror(): Promise<void> {
    const idOf = (post: { id: string }) => postIdOf(identityHash({ kind: 'id', value: post.id }))
    const titles = new Map(newsroom.posts.map((post) => [idOf(post), post.title]))
    const entries = await readLog(platform, everything, { after: 0, to: 1_000_000 })
    stand.log.length = 0
    for (const { n, postId, mail: mode, categories, again } of entries) {
      const run = letterRunId(postId, again)
      stand.log.push({ n, post: titles.get(postId) ?? '', mode, categories, run })
    }
    const posts = await getPosts(platform, newsroom.posts.map(idOf))
    for (const [i, { title }] of newsroom.posts.entries()) {
      const known = stand.posts.get(title)
      if (known && known.state !== 'gone') {
        known.state = posts[i]?.state === 'visible' ? 'visible' : 'scheduled'
      }
    }
    for (const reader of stand.readers.values()) {
      if (reader.state !== 'paused' || reader.pausedUntil > now) continue
      const item = await getSubscriber(platform, reader.id)
      if (item?.value.state !== 'confirmed') continue
      stand.resume(reader)
      // Of two ticks side by side one may end the pause before the other lists what came due.
      for (const [slug, since] of Object.entries(item.value.categories)) {
        if (since < lastHead || since > stand.head())
          faults.push(`${reader.name} starts at ${since}`)
        reader.since.set(slug, since)
      }
    }
    for (const reader of stand.readers.values()) {
      const { state, reason } = (await getSubscriber(platform, reader.id))?.value ?? {}
      if (state !== 'suppressed' || reason !== 'soft-bounces' || suppressed.has(reader.name))
        continue
      // Three mails in a row that an address did not take for too long.
      if ((refusals.get(reader.name)?.size ?? 0) < 3) faults.push(`${reader.name} is suppressed`)
      suppressed.add(reader.name)
      reader.state = 'left'
    }
    const moving = new Set<string>()
    for (const { id } of stand.readers.values()) if (await isMoving(id)) moving.add(id)
    look((id) => moving.has(id))
    lastHead = stand.head()
  }

  async function isMoving(id: string): Promise<boolean> {
    return (await platform.records.get(recordKeys.addressChange(id))) !== undefined
  }

  async function allRuns(): Promise<Run[]> {
    const page = await platform.records.query<Run>(recordKeys.runsByDue, { index: true })
    return page.records.map(({ value }) => value)
  }

  async function retryFailed(which?: number): Promise<void> {
    const failed: string[] = []
    for (const run of await allRuns()) {
      if (isOver(run) && (await countsOf(platform, run)).failed > 0) failed.push(run.id)
    }
    const chosen = which === undefined ? failed : failed.slice(which % Math.max(failed.length, 1))
    for (const id of which === undefined ? chosen : chosen.slice(0, 1)) await retryRun(platform, id)
  }

  async function take(step: Step): Promise<void> {
    const known = 'who' in step ? newsroom.readers.get(step.who) : undefined
    if ('who' in step && suppressed.has(step.who)) return
    // Whose address is being changed waits for its end before doing anything else.
    if (known && (await isMoving(known.id)) && step.do !== 'weather') return
    if (await newsroom.take(platform, step)) return
    switch (step.do) {
      case 'weather':
        fates.set(step.who, step.fate)
        break
      case 'crash':
        deathAfter = step.after
        break
      case 'lose jobs':
        for (const lane of ['urgent', 'work', 'mail'] as const) {
          for (const [i, { receipt }] of (await platform.jobs.receive(lane, lease)).entries()) {
            if (i % 2 === step.which % 2) await platform.jobs.complete(receipt)
            else await platform.jobs.release(receipt)
          }
        }
        break
      case 'pause sending':
        await (step.isPaused ? pauseSending(platform) : resumeSending(platform))
        break
      case 'minutes':
        await pass(step.minutes * 60_000, 1)
        break
      case 'tick':
        await pass(step.hours * hourMs, step.times, step.works)
        break
      case 'work':
        await alive(work)
        break
      case 'instant job':
        await alive(async (on) => void (await makeInstantRun(on)))
        break
      case 'retry':
        await retryFailed(step.which)
        break
      case 'pause run':
      case 'resume run': {
        const state = step.do === 'pause run' ? ['planned', 'sending'] : ['paused']
        const runs = (await allRuns()).filter((run) => state.includes(run.state))
        const run = runs[step.which % Math.max(runs.length, 1)]
        if (run) await (step.do === 'pause run' ? pauseRun : resumeRun)(platform, run.id)
        break
      }
    }
  }

  async function pass(ms: number, ticks = 1, works = true): Promise<void> {
    now += ms
    platform.setNow(new Date(now))
    await tickAndWork(ticks, works)
  }

  /** Nothing fails any more, for as long as the slowest rhythm needs; then the books are read. */
  async function calmDown(): Promise<void> {
    deathAfter = 0
    fates.clear()
    await resumeSending(platform)
    for (const run of await allRuns()) if (run.state === 'paused') await resumeRun(platform, run.id)
    for (let round = 0; round < 3; round++) await pass(11 * 60_000)
    await retryFailed()
    await newsroom.take(platform, {
      do: 'publish',
      slugs: ['art', 'books', 'chess'],
      mail: 'digest',
      date: 0,
    })
    await mirror()
    await pass(60_000)
    // From one last Sunday of a month to the next are five weeks at most.
    await pass(36 * 24 * hourMs)
    for (let round = 0; round < 3; round++) {
      await pass(11 * 60_000)
      await retryFailed()
    }
    await pass(11 * 60_000)
    for (const run of await listOpenRuns(platform)) faults.push(`${run.id} never ends`)
    faults.push(...missing(), ...(await wrongBooks()))
  }

  async function wrongBooks(): Promise<string[]> {
    const wrong: string[] = []
    const rows = new Map<string, Delivery>()
    for (const run of await allRuns()) {
      const { candidates, ...counts } = await countsOf(platform, run)
      const sum = Object.values(counts).reduce((a, b) => a + b, 0)
      if (sum !== candidates || counts.pending > 0) wrong.push(`the books of ${run.id}`)
      if (counts.unknown > 0) wrong.push(`an unknown delivery in ${run.id}`)
      for (const k of (await chunksOf(platform, run.id)).keys()) {
        for (const row of (await rowsOf(platform, run.id, k)).values()) rows.set(row.id, row)
      }
    }
    for (const { deliveryId } of sent) {
      if (rows.get(deliveryId)?.outcome !== 'accepted') wrong.push(`the row of ${deliveryId}`)
    }
    const accepted = [...rows.values()].filter(({ outcome }) => outcome === 'accepted')
    if (accepted.length !== sent.length) wrong.push('a row of a mail that never left')
    return wrong
  }

  return {
    faults,
    sent,
    async play(steps: readonly Step[]): Promise<void> {
      await pass(0)
      for (const step of steps) {
        await take(step)
        await mirror()
        if (faults.length > 0) throw new Error(`${faults.join('; ')} after ${JSON.stringify(step)}`)
      }
      await calmDown()
      if (faults.length > 0) throw new Error(faults.join('; '))
    },
    close: () => platform.close(),
  }
}
