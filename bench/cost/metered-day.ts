import { createApiKey } from '../../functions/api/api-keys.ts'
import { minutesBetweenLooks } from '../../functions/aws/clock.lambda.ts'
import { confirmReader } from '../../test/digests/newsroom.ts'
import { scratchAwsPlatform } from '../../test/support/aws/aws-platform.ts'
import { startAwsServers } from '../../test/support/aws/aws-servers.ts'
import { samplePost } from '../sample-posts.ts'
import { type Kind, kinds, type Meter, meterOf, noTally, type Tally } from './meter.ts'

/** What one of each costs, counted. */
export interface Counts {
  /** A minute in which nothing is due, with its share of the looks into the inbox. */
  tick: Tally
  /** A post through the API, until its feeds and pages are written. */
  post: Tally
  /** What a run costs for each reader more. */
  mail: Tally
  /** What a run of one job costs beside its readers. */
  job: Tally
  /** SES's event of one mail. */
  event: Tally
}

export const postsADay = 72
/** Each a look at the run, at whether sending is held, and at the count of changes. */
export const readsALook = 3

const small = 30
const large = 60
/** From one trimming of the log's head to the next, so that its cost is shared as it is in use. */
const postsListed = 32
const postsRendered = 3
const ticksMetered = 5
const minuteMs = 60_000

/**
 * A day on the test servers, by the doorways' own code and real SDK clients: feeds with 48 hours of
 * posts in them, a post every twenty minutes, two runs of different size. The same each time.
 */
export async function meterDay(): Promise<Counts> {
  const servers = await startAwsServers()
  try {
    const platform = await scratchAwsPlatform(servers, {
      settings: { mail: { from: 'The Gazette <news@news.example>' } },
      now: '2026-03-01T10:00:00Z',
    })
    // Without a quota nothing waits, however busy this machine is: pace is counted apart.
    Object.assign(platform.mailer, { quota: async () => ({}) })
    const { web, clock, feedback } = platform.doorways
    const meter = meterOf(servers.clients, platform.logged)
    const { key } = await createApiKey(platform, 'cost')
    const news = (n: number, published?: Date) => {
      const body = samplePost(n).source.replace(/^---[\s\S]*?\n---\n/, '')
      return {
        title: `News ${n}`,
        categories: [`section-${(n % 4) + 1}`],
        content: body,
        ...(published ? { published: published.toISOString() } : {}),
      }
    }
    const post = async (path: string, body: string, contentType: string) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': contentType }
      const answer = await web(path, { method: 'POST', headers, body })
      const text = await answer.text()
      if (!answer.ok || text.includes('"refused"')) throw new Error(text)
    }
    /** One each twenty minutes until now, rendered once. */
    const publishAll = async (from: number, to: number) => {
      const lines = Array.from({ length: to - from }, (_, i) => {
        const at = new Date(platform.now().getTime() - (to - from - i) * 20 * minuteMs)
        return JSON.stringify({
          path: `${from + i}.json`,
          source: JSON.stringify(news(from + i, at)),
        })
      })
      await post('/api/v1/imports?mail=true', lines.join('\n'), 'application/x-ndjson')
      await platform.settle()
    }

    await clock()
    await publishAll(0, postsADay)
    platform.setNow('2026-03-02T05:00:00Z')
    for (let n = 0; n < small + large; n++) {
      const at = n < small ? '08:00' : '09:00'
      await confirmReader(platform, `reader-${n}@example.org`, { at })
    }
    const first = 2 * postsADay - postsListed - postsRendered
    await publishAll(postsADay, first)

    const publish = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        // As in use: no two of one instant.
        platform.advance(minuteMs)
        await post('/api/v1/posts', JSON.stringify(news(n)), 'application/json')
      }
    }
    const listing = await meter.during(() => publish(first, first + postsListed))
    await platform.settle()
    const rendering: Tally[] = []
    for (let n = first + postsListed; n < 2 * postsADay; n++) {
      await publish(n, n + 1)
      rendering.push((await meter.during(platform.settle)).tally)
    }

    const tickAt = async (instant: string) => {
      platform.setNow(instant)
      await clock()
      await platform.settle()
    }
    await tickAt('2026-03-02T07:00:00Z')
    await tickAt('2026-03-02T07:01:00Z')
    const ticks = await meter.during(async () => {
      for (let n = 0; n < ticksMetered; n++) await tickAt(`2026-03-02T07:0${n + 2}:00Z`)
    })
    const plain = shareOf(ticks.tally, ticksMetered)
    const looking = (await meter.during(() => tickAt('2026-03-02T07:07:00Z'))).tally
    const tick = plus(plain, shareOf(minus(looking, plain), minutesBetweenLooks))

    const smaller = await runOf(meter, () => tickAt('2026-03-02T08:00:00Z'), small)
    await tickAt('2026-03-02T08:03:00Z')
    const larger = await runOf(meter, () => tickAt('2026-03-02T09:00:00Z'), large)
    const mail = shareOf(minus(larger, smaller), large - small)
    const job = minus(minus(smaller, plain), shareOf(mail, 1 / small))

    const sent = servers.ses.mails.slice(-large)
    const event = await meter.during(() =>
      feedback({
        Records: sent.map(({ tags: { delivery }, messageId }) => ({
          messageId,
          body: JSON.stringify({
            eventType: 'Send',
            mail: { messageId, tags: { delivery: [delivery] } },
          }),
        })),
      }),
    )
    return {
      tick,
      post: plus(shareOf(listing.tally, postsListed), shareOf(sum(rendering), postsRendered)),
      mail,
      job,
      event: shareOf(event.tally, large),
    }
  } finally {
    await servers.close()
  }
}

/** What a run called for, without its looks, which go by time. */
async function runOf(meter: Meter, run: () => Promise<void>, readers: number): Promise<Tally> {
  const { tally, looks } = await meter.during(run)
  if (tally['ses.mail'] !== readers) {
    throw new Error(`${tally['ses.mail']} mails went to ${readers} readers`)
  }
  return { ...tally, 'dynamodb.read': tally['dynamodb.read'] - looks * readsALook }
}

function each(of: (kind: Kind) => number): Tally {
  const tally = noTally()
  for (const kind of kinds) tally[kind] = Math.round(of(kind) * 1000) / 1000
  return tally
}

const minus = (a: Tally, b: Tally) => each((kind) => a[kind] - b[kind])
const plus = (a: Tally, b: Tally) => each((kind) => a[kind] + b[kind])
const sum = (all: readonly Tally[]) => all.reduce(plus, noTally())
const shareOf = (a: Tally, n: number) => each((kind) => a[kind] / n)
