import type { Platform } from '../../../functions/platform.ts'
import { identityHash, postIdOf } from '../../../functions/posts/identity.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { normaliseAddress, subscriberIdOf } from '../../../functions/subscribers/address.ts'
import { moveReader } from '../../../functions/subscribers/change-address.ts'
import {
  changePreferences,
  subscribeAgain,
  unsubscribe,
} from '../../../functions/subscribers/change-preferences.ts'
import { importSubscribers } from '../../../functions/subscribers/import-subscribers.ts'
import { pauseUntil, resume } from '../../../functions/subscribers/pauses.ts'
import { confirmReader, publishArticle } from '../newsroom.ts'
import { choiceOf, type DrawnChoice, preferencesOf, type Step } from './newsroom-steps.ts'
import type { Article, Choice, Mode } from './newsstand.ts'

/** What an oracle is told of a publisher and the readers, step by step. */
export interface Told {
  store(title: string, post: Article, now: number, mailAgain?: boolean): void
  withdraw(title: string): void
  start(name: string, id: string, choice: Choice): void
  change(name: string, choice: Choice): void
  leave(name: string): void
  leaveCategory(name: string, slug: string): void
  pause(name: string, until: number): void
  resume(name: string): void
  move(name: string, id: string): void
}

interface Known {
  id: string
  /** How often the address was changed. */
  moves: number
  state: 'reading' | 'left'
  leftAt: number
}

const hourMs = 3_600_000

/** Does what a publisher and readers do, by the product's use cases, and tells an oracle the same. */
export function openNewsroom(told: Told) {
  const readers = new Map<string, Known>()
  const nameOfId = new Map<string, string>()
  const posts: {
    id: string
    title: string
    slugs: string[]
    mail: Mode | undefined
    date: number
  }[] = []

  async function store(
    platform: Platform,
    post: (typeof posts)[number],
    options: { mailAgain?: boolean } = {},
  ): Promise<void> {
    const now = platform.now().getTime()
    const { id, title, slugs, mail, date } = post
    await publishArticle(
      platform,
      {
        id,
        title,
        categories: slugs,
        published: new Date(date).toISOString(),
        content: `Text ${now} ${options.mailAgain ?? false}.`,
        ...(mail === undefined ? {} : { mail }),
      },
      options,
    )
    told.store(title, { categories: slugs, mail, date }, now, options.mailAgain)
  }

  /** No two posts ever share a date. */
  function dateOf(now: number, hours: number | 'old', index: number): number {
    if (hours === 'old') return now - 60 * 24 * hourMs
    return now + hours * hourMs - (hours === 0 ? index * 60_000 : -index * 60_000)
  }

  const addressOf = (name: string, moves: number) =>
    normaliseAddress(`${name}${moves === 0 ? '' : `-${moves}`}@example.org`)

  async function importReader(platform: Platform, name: string, drawn: DrawnChoice): Promise<void> {
    const known = readers.get(name)
    const moves = known?.moves ?? 0
    const { categories, cadence, day = '', at, timeZone, locale } = preferencesOf(drawn)
    const csv = [
      'email,categories,cadence,day,at,timeZone,locale,confirmedAt,consent',
      [
        addressOf(name, moves),
        categories.length > 0 ? categories.join(' ') : '*',
        cadence,
        day,
        at,
        timeZone,
        locale,
        platform.now().toISOString(),
        'I agreed.',
      ].join(),
    ]
    const chunks = (async function* () {
      yield Buffer.from(csv.join('\n'))
    })()
    for await (const { outcome, reason } of importSubscribers(platform, chunks)) {
      if (outcome === 'refused') throw new Error(reason)
      if (outcome !== 'left') continue
      // By a clock that was set back the consent is older than the leaving, and does not count.
      if (known && platform.now().getTime() < known.leftAt) return
      throw new Error('A reader who agreed after leaving was not taken.')
    }
    if (known?.state === 'reading') return told.change(name, choiceOf(drawn))
    begin(platform, name, moves)
    told.start(name, readers.get(name)?.id ?? '', choiceOf(drawn))
  }

  function begin(platform: Platform, name: string, moves: number): void {
    const id = subscriberIdOf(platform, addressOf(name, moves))
    readers.set(name, { id, moves, state: 'reading', leftAt: 0 })
    nameOfId.set(id, name)
  }

  async function move(platform: Platform, name: string, known: Known): Promise<void> {
    const moves = known.moves + 1
    const email = addressOf(name, moves)
    const id = subscriberIdOf(platform, email)
    await moveReader(platform, id, {
      email,
      // Not looked at: what was chosen moves along.
      wanted: preferencesOf({ slugs: [], rhythm: 'instant', locale: 'en' }),
      nonce: 'n'.repeat(16),
      consent: { at: platform.now().toISOString(), source: 'form' },
      changeFrom: known.id,
      expires: new Date(platform.now().getTime() + 24 * hourMs).toISOString(),
    })
    begin(platform, name, moves)
    told.move(name, id)
  }

  /** Gives back whether the step was one of a publisher's or a reader's. */
  async function take(platform: Platform, step: Step): Promise<boolean> {
    const now = platform.now().getTime()
    const post = 'which' in step ? posts[step.which % Math.max(posts.length, 1)] : undefined
    const known = 'who' in step ? readers.get(step.who) : undefined
    const reading = known?.state === 'reading' ? known : undefined
    switch (step.do) {
      case 'publish': {
        const i = posts.length
        const { slugs, mail } = step
        const date = dateOf(now, step.date, i)
        posts.push({ id: `p${i}`, title: `Post-${i}-`, slugs, mail, date })
        await store(platform, posts[i] as (typeof posts)[number])
        return true
      }
      case 'edit':
        if (!post) return true
        Object.assign(post, { slugs: step.slugs, mail: step.mail })
        if (step.date !== 0) post.date = dateOf(now, step.date, posts.indexOf(post))
        await store(platform, post)
        return true
      case 'mail again':
        if (post) await store(platform, post, { mailAgain: true })
        return true
      case 'withdraw':
        if (!post) return true
        await withdrawPost(platform, postIdOf(identityHash({ kind: 'id', value: post.id })))
        told.withdraw(post.title)
        return true
      case 'subscribe': {
        if (reading) return true
        const wanted = preferencesOf(step.choice)
        if (known) {
          known.state = 'reading'
          await subscribeAgain(platform, known.id, wanted)
        } else {
          await confirmReader(platform, addressOf(step.who, 0), wanted)
          begin(platform, step.who, 0)
        }
        told.start(step.who, readers.get(step.who)?.id ?? '', choiceOf(step.choice))
        return true
      }
      case 'import':
        await importReader(platform, step.who, step.choice)
        return true
      case 'change':
        if (!reading) return true
        await changePreferences(platform, reading.id, preferencesOf(step.choice))
        told.change(step.who, choiceOf(step.choice))
        return true
      case 'leave':
        if (!reading) return true
        await unsubscribe(platform, reading.id)
        Object.assign(reading, { state: 'left', leftAt: now })
        told.leave(step.who)
        return true
      case 'leave category': {
        if (!reading) return true
        const after = await unsubscribe(platform, reading.id, step.slug)
        if (after?.state === 'unsubscribed') Object.assign(reading, { state: 'left', leftAt: now })
        told.leaveCategory(step.who, step.slug)
        return true
      }
      case 'pause':
        if (!reading) return true
        await pauseUntil(platform, reading.id, new Date(now + step.hours * hourMs))
        told.pause(step.who, now + step.hours * hourMs)
        return true
      case 'resume':
        if (!reading) return true
        await resume(platform, reading.id)
        told.resume(step.who)
        return true
      case 'move':
        if (reading) await move(platform, step.who, reading)
        return true
      default:
        return false
    }
  }

  return { take, readers, nameOfId, posts }
}

/** The locale of a mail and the posts in it, by the titles in its plain text. */
export function mailText(raw: Uint8Array): { locale: string; titles: string[] } {
  const text = Buffer.from(raw).toString('latin1')
  const parts = [...text.matchAll(/base64\r\n\r\n([\s\S]*?)\r\n--/g)].map(([, part = '']) =>
    Buffer.from(part, 'base64').toString(),
  )
  const [plain = '', html = ''] = parts
  return {
    locale: /<html[^>]* lang="([^"]*)"/.exec(html)?.[1] ?? '?',
    titles: [...new Set(plain.match(/Post-\d+-/g) ?? [])].sort(),
  }
}
