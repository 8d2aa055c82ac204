import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Hono } from 'hono'
import { simpleParser } from 'mailparser'
import { afterEach } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { recordKeys } from '../../functions/keys.ts'
import { subscriberIdOf } from '../../functions/subscribers/address.ts'
import { signLink } from '../../functions/subscribers/links.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import {
  type ScratchPlatform,
  type ScratchPlatformOptions,
  scratchPlatform,
} from '../support/scratch-platform.ts'

let open: ScratchPlatform[] = []

afterEach(async () => {
  for (const platform of open) await platform.close()
  open = []
})

/** A platform with two categories and the readers' pages; closed behind the test. */
export async function readersPlatform(options: ScratchPlatformOptions = {}) {
  const platform = await scratchPlatform({
    ...options,
    settings: {
      categories: { tech: { title: 'Technology' }, life: { title: 'Life' } },
      ...options.settings,
    },
  })
  open.push(platform)
  const app = new Hono().route('/', subscriberPages(platform))
  app.onError((error, c) => {
    if (!(error instanceof ServiceError)) throw error
    return c.json({ code: error.code }, error.status as 400)
  })
  const idOf = (email: string) => subscriberIdOf(platform, email)
  const readerOf = async (email: string): Promise<Subscriber | undefined> =>
    (await getSubscriber(platform, idOf(email)))?.value
  /** Sends a form, as a browser does from our own page. */
  const post = (
    path: string,
    fields: Record<string, string | string[]> = {},
    headers: Record<string, string> = {},
  ) => {
    const form = new URLSearchParams()
    for (const [name, value] of Object.entries(fields)) {
      for (const one of [value].flat()) form.append(name, one)
    }
    return app.request(path, {
      method: 'POST',
      body: form.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  }
  const mailsTo = async (email: string) =>
    (await platform.outbox()).filter(({ to }) => to.toLowerCase() === email.toLowerCase())
  /** The paths of all links of a kind in the mails to an address. */
  const linksTo = async (email: string, kind: 'confirm' | 'preferences') => {
    const links: string[] = []
    for (const { raw } of await mailsTo(email)) {
      const { text = '' } = await simpleParser(raw)
      links.push(...(text.match(/https:\/\/news\.example\/[^\s)>]+/g) ?? []))
    }
    const paths = links.map((link) => new URL(link).pathname)
    return [...new Set(paths.filter((path) => path.startsWith(`/${kind}/`)))]
  }
  /** The one link to confirm that was not seen in `seen`. */
  const confirmLink = async (email: string, seen: readonly string[] = []) => {
    const fresh = (await linksTo(email, 'confirm')).filter((link) => !seen.includes(link))
    if (fresh.length !== 1) throw new Error(`${fresh.length} new links to confirm`)
    return fresh[0] as string
  }
  /** Subscribes and confirms by the mail, as a reader does. */
  const join = async (email: string, fields: Record<string, string | string[]> = {}) => {
    await post('/subscribe', { email, ...fields })
    await platform.settle()
    const response = await post(await confirmLink(email))
    if (response.status !== 200) throw new Error(`not confirmed: ${response.status}`)
    return (await readerOf(email)) as Subscriber
  }
  const link = (purpose: 'preferences' | 'unsubscribe', email: string) =>
    `/${purpose}/${signLink(platform, purpose, idOf(email))}`
  return { platform, app, idOf, readerOf, post, mailsTo, linksTo, confirmLink, join, link }
}

/** Lets the log have given so many numbers. */
export async function headNumber({ records }: ScratchPlatform, last: number): Promise<void> {
  await records.put({ ...recordKeys.logHead, value: { next: last + 1, entries: [] } })
}

/** The same platform with its writes noted: to the records, the objects and the queue. */
export function noted(platform: ScratchPlatform): { platform: ScratchPlatform; writes: string[] } {
  const writes: string[] = []
  const watched = <T extends object>(port: T, names: readonly string[]): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member = Reflect.get(target, name, receiver)
        if (typeof member !== 'function' || !names.includes(String(name))) return member
        return (...args: unknown[]) => {
          writes.push(`${String(name)} ${JSON.stringify(args[0])}`)
          return member.apply(target, args)
        }
      },
    })
  return {
    writes,
    platform: {
      ...platform,
      records: watched(platform.records, ['put', 'putMany', 'delete', 'add']),
      objects: watched(platform.objects, ['put', 'delete']),
      jobs: watched(platform.jobs, ['enqueue']),
      mailer: watched(platform.mailer, ['send']),
    },
  }
}

/** All bytes of the data as a backup has them: whatever is still stored anywhere is in it. */
export async function everyByte(platform: ScratchPlatform): Promise<string> {
  const folder = mkdtempSync(joinPath(tmpdir(), 'broadsheet-copy-'))
  try {
    await platform.machine.backup(folder)
    // Pages that SQLite has freed and not yet used again are no records.
    const copy = new DatabaseSync(joinPath(folder, 'broadsheet.sqlite'))
    copy.exec('VACUUM')
    copy.close()
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(joinPath(entry.parentPath, entry.name), 'latin1'))
      .join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
