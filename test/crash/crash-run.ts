import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimsUnderWay, failedIn, openIn } from './data-folder.ts'
import type { Mailbox } from './mailbox.ts'
import { outboxMailbox, smtpMailbox } from './mailbox.ts'
import {
  bodyOf,
  configuration,
  csvOf,
  type Post,
  postsOf,
  type Reader,
  readers,
} from './newsroom.ts'
import { ProcessDied, serviceProcess } from './service-process.ts'

export interface CrashRunOptions {
  program: 'broadsheet' | 'watched'
  mail: 'outbox' | 'smtp'
  readers: number
  /** Of the mails that come to the SMTP server, the share that it refuses for good. */
  refused?: number
  /** Old posts that each round imports, to be mailed to nobody: they make the log move on. */
  imported?: number
  env?: Record<string, string>
  /** Asked before each start: what it is started with. */
  beforeStart?: () => Record<string, string>
  /** Told of each start that succeeded or failed. */
  afterStart?: () => void
}

export interface RunView {
  id: string
  kind: string
  state: string
  counts: Record<string, number>
}

/** A reader of the run and from which round on the books must show every post. */
export interface Watched extends Reader {
  id: string
  /** Changes what is owed by what the reader does: only doubles are faults. */
  isLoose: boolean
  /** Kept mails go with the reader. */
  isErased?: boolean
  owedFrom: number
}

const dayMs = 86_400_000
const minuteMs = 60_000

/** One service that dies and comes back, a publisher who goes on regardless, and the readers' mailbox. */
export async function openCrashRun(options: CrashRunOptions) {
  const cwd = mkdtempSync(join(tmpdir(), 'broadsheet-crash-'))
  const data = join(cwd, 'data')
  writeFileSync(join(cwd, 'broadsheet.yaml'), configuration)
  const mailbox: Mailbox =
    options.mail === 'outbox' ? outboxMailbox(data) : await smtpMailbox(options)
  const service = serviceProcess({
    cwd,
    program: options.program,
    env: { ...mailbox.env, ...options.env },
  })
  /** Midnight of the first day: every time of day lies ahead of it. */
  const firstDay = Math.ceil(Date.now() / dayMs) * dayMs
  const published: (Post & { round: number })[] = []
  const everyone = new Map<string, Watched>()
  const subscribing: { email: string; round: number }[] = []
  const seenClaims = new Set<string>()
  const atStake: number[] = []
  let deaths = 0
  let done = 0
  let hasStarted = false

  /** The instant at the end of a round's day. */
  const endOf = (round: number) => new Date(firstDay + (round + 1) * dayMs - minuteMs)

  async function ensureAlive(): Promise<void> {
    while (!service.isAlive()) {
      if (hasStarted) noteDeath()
      hasStarted = true
      await service.start(options.beforeStart?.() ?? {})
      options.afterStart?.()
    }
  }

  function noteDeath(): void {
    deaths++
    let claims: string[]
    try {
      claims = claimsUnderWay(data)
    } catch (error) {
      // It died before it had made its tables.
      if (!/no such table|unable to open/.test(String(error))) throw error
      claims = []
    }
    atStake.push(claims.filter((token) => !seenClaims.has(token)).length)
    for (const token of claims) seenClaims.add(token)
  }

  /** Does something that may be repeated until a process lives long enough for it. */
  async function act<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        await ensureAlive()
        const result = await work()
        done++
        return result
      } catch (error) {
        if (!(error instanceof ProcessDied)) throw error
      }
    }
  }

  const api = <T = unknown>(...args: Parameters<typeof service.api>) =>
    act(() => service.api<T>(...args))

  async function addReaders(): Promise<void> {
    const list = readers(options.readers)
    const lines = await act(async () => {
      const path = '/api/v1/subscribers/import'
      const text = await service.api<string>('POST', path, csvOf(list), {
        'content-type': 'text/csv',
      })
      return text.trim().split('\n')
    })
    for (const [i, line] of lines.entries()) {
      const { id, outcome } = JSON.parse(line) as { id: string; outcome: string }
      const reader = list[i]
      if (!reader || !/added|unchanged/.test(outcome)) throw new Error(`row ${i}: ${line}`)
      everyone.set(reader.email, { ...reader, id, isLoose: false, owedFrom: 0 })
    }
    if (everyone.size !== options.readers) throw new Error('a row has no line')
  }

  const named = (i: number) => everyone.get(`reader-${i % options.readers}@example.org`) as Watched

  async function publish(round: number): Promise<void> {
    for (const post of postsOf(round)) {
      await api('POST', '/api/v1/posts', bodyOf(post), { 'idempotency-key': `key-${post.id}` })
      published.push({ ...post, round })
    }
    // One that becomes visible by itself within the day, and one that is taken back.
    const later: Post = { id: `s${round}`, categories: ['sport'] }
    await api('POST', '/api/v1/posts', bodyOf(later, { published: endOf(round).toISOString() }))
    published.push({ ...later, round })
    const ghost = bodyOf({ id: `ghost${round}`, categories: ['sport'] })
    const { id } = await api<{ id: string }>('POST', '/api/v1/posts', ghost)
    await act(() => ignoring(/ 4(?:04|10) /, service.api('DELETE', `/api/v1/posts/${id}`)))
    const old = Array.from({ length: options.imported ?? 0 }, (_, i) =>
      JSON.stringify(
        bodyOf({ id: `old${round}-${i}`, categories: ['archive'] }, { published: '2020-01-01' }),
      ),
    )
    if (old.length > 0) {
      const type = { 'content-type': 'application/x-ndjson' }
      await api('POST', '/api/v1/imports', `${old.join('\n')}\n`, type)
    }
    const [before] = round > 0 ? postsOf(round - 1) : []
    if (before) await api('POST', '/api/v1/posts', bodyOf(before, { tags: [`edit ${round}`] }))
  }

  /** Readers change what they may: some only when they hear from us, some also what is owed. */
  async function changeReaders(round: number): Promise<void> {
    const change = (reader: Watched, changes: object) =>
      act(() =>
        ignoring(/ 4(?:04|22) /, service.api('PATCH', `/api/v1/subscribers/${reader.id}`, changes)),
      )
    const rhythms = [
      { cadence: 'weekly', day: 'mon' },
      { cadence: 'instant' },
      { cadence: 'daily' },
    ]
    for (const i of [2, 42, 47]) await change(named(i + 20 * (round % 2)), rhythms[round % 3] ?? {})
    // To an hour that nobody else has, and back.
    const loner = named(63)
    await change(loner, { at: round % 2 ? loner.at : '05:55' })
    const [chooser, pauser] = [named(27), named(28)]
    const [leaver, erased] = [named(80 + round), named(160 + round)]
    for (const reader of [chooser, pauser, leaver, erased]) reader.isLoose = true
    await change(chooser, { categories: round % 2 ? ['sport'] : ['news', 'culture'] })
    await change(pauser, {
      pausedUntil: new Date(endOf(round).getTime() - 60 * minuteMs).toISOString(),
    })
    await change(leaver, { state: 'unsubscribed' })
    erased.isErased = true
    await act(() => ignoring(/ 404 /, service.api('DELETE', `/api/v1/subscribers/${erased.id}`)))
  }

  /** Somebody asks by the form; those of the round before confirm, if their mail has come. */
  async function subscribe(round: number): Promise<void> {
    const mails = mailbox.look()
    for (const one of subscribing.splice(0)) {
      const mail = [...mails.values()].find(({ to, link }) => to === one.email && link)
      const { link } = mail ?? {}
      if (!link) {
        // A death after the claim of the mail leaves it to a later tick.
        if (round - one.round > 3) throw new Error(`${one.email} asked and was never answered`)
        subscribing.push(one)
        continue
      }
      await act(async () => {
        const { status } = await service.request(link, { method: 'POST' })
        if (status >= 400) throw new Error(`confirming answered ${status}`)
      })
      const id = (
        (await api('POST', '/api/v1/subscribers/find', { email: one.email })) as { id: string }
      ).id
      everyone.set(one.email, {
        email: one.email,
        cadence: 'daily',
        at: '08:00',
        timeZone: 'UTC',
        categories: ['news'],
        id,
        isLoose: false,
        owedFrom: round + 1,
      })
    }
    const email = `asks-${round}@example.org`
    const form = { email, categories: 'news', cadence: 'daily', at: '08:00', timeZone: 'UTC' }
    await act(async () => {
      const { status } = await service.request('/subscribe', {
        method: 'POST',
        body: new URLSearchParams(form),
      })
      if (status >= 400) throw new Error(`subscribing answered ${status}`)
    })
    subscribing.push({ email, round })
  }

  const tick = (now: Date) => api('POST', '/api/v1/tick', { now: now.toISOString() })

  /** The runs with their books, newest first; all of them, or the first page. */
  async function listRuns({ all = true } = {}): Promise<RunView[]> {
    const runs: RunView[] = []
    let cursor = ''
    do {
      const path = `/api/v1/runs?limit=200${cursor}`
      const page = await api<{ items: RunView[]; cursor?: string }>('GET', path)
      runs.push(...page.items)
      cursor = page.cursor ? `&cursor=${encodeURIComponent(page.cursor)}` : ''
    } while (all && cursor)
    return runs
  }

  /** Ticks until every run is over, as minutes would. */
  async function finish(from: Date): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await tick(new Date(from.getTime() + i * 3 * minuteMs))
      const open = openIn(data)
      if (open.length === 0) return
      if (i === 19) throw new Error(`not over: ${open.join()}\n${service.errors()}`)
    }
  }

  /** All sending is stopped for a moment, by hand. */
  async function holdSending(): Promise<void> {
    await api('POST', '/api/v1/sending/pause', {})
    await api('POST', '/api/v1/sending/resume', {})
  }

  /** One day: the publisher publishes, readers change their minds, what is due is delivered. */
  async function playRound(round: number): Promise<void> {
    await publish(round)
    await changeReaders(round)
    await subscribe(round)
    await holdSending()
    await tick(endOf(round))
    if (round % 2) await retryFailed()
    await finish(new Date(endOf(round).getTime() + 3 * minuteMs))
  }

  /** Asks for what failed once more, as a publisher does who looks at the books. */
  async function retryFailed(): Promise<number> {
    const failed = failedIn(data)
    for (const id of failed) {
      await act(() => ignoring(/ 409 /, service.api('POST', `/api/v1/runs/${id}/retry`)))
    }
    return failed.length
  }

  /** A month more without a crash: every schedule comes due, and nothing is left to wait for. */
  async function playToTheEnd(rounds: number): Promise<void> {
    const end = endOf(rounds + 35)
    await finish(end)
    for (let i = 1; i < 10 && (await retryFailed()) > 0; i++) {
      await finish(new Date(end.getTime() + i * 60 * minuteMs))
    }
    await finish(new Date(end.getTime() + 36 * 60 * minuteMs))
  }

  return {
    data,
    cwd,
    service,
    mailbox,
    published,
    everyone,
    listRuns,
    atStake,
    deaths: () => deaths,
    /** Things done so far: what tells a slow machine from one that dies before anything is done. */
    done: () => done,
    endOf,
    act,
    api,
    tick,
    addReaders,
    playRound,
    publish,
    changeReaders,
    finish,
    playToTheEnd,
    close: async () => {
      await service.kill()
      await mailbox.close()
      rmSync(cwd, { recursive: true, force: true })
    },
  }
}

export type CrashRun = Awaited<ReturnType<typeof openCrashRun>>

/** What was done already before a crash answers differently when it is asked for again. */
async function ignoring(expected: RegExp, asked: Promise<unknown>): Promise<void> {
  await asked.catch((error: Error) => {
    if (error instanceof ProcessDied || !expected.test(error.message)) throw error
  })
}
