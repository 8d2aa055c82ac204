import type { Hono } from 'hono'
import PostalMime, { type Email } from 'postal-mime'
import { onTestFinished } from 'vitest'
import { createApiKey } from '../../functions/api/api-keys.ts'
import { createApp } from '../../functions/app.ts'
import type { Platform } from '../../functions/platform.ts'
import {
  type ScratchPlatform,
  type ScratchPlatformOptions,
  scratchPlatform,
} from '../support/scratch-platform.ts'

/** A platform of a test, local or on AWS: its clock stands until it is moved, its mails can be read. */
export interface JourneyPlatform extends Omit<Platform, 'outbox'> {
  setNow(instant: string | Date): void
  advance(ms: number): void
  settle(): Promise<void>
  outbox(): Promise<{ raw: string }[]>
  /** Every line logged, as JSON. */
  readonly logged: string[]
  close(): Promise<void>
}

/** Where a platform is spoken to. */
export interface Doors {
  /** Answers a request to a path of the site. */
  request(path: string, init?: RequestInit): Response | Promise<Response>
  /** The tick at the platform's present, everything done that it starts. */
  tick(service: Pick<Service, 'api'>): Promise<{ runs: RunView[] }>
  /** What goes by itself once a request is answered; nothing where jobs are awaited by the answer. */
  afterwards?(): Promise<void>
}

export interface Service<P extends JourneyPlatform = JourneyPlatform> {
  platform: P
  app: Pick<Doors, 'request'>
  /** The answer of the API to a request with a key that may do everything. */
  api(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** Publishes a post and gives its answer. */
  publish(post: Record<string, unknown>): Promise<Published>
  /** What a browser sees at a path; a form is posted when fields are given. */
  page(
    path: string,
    fields?: Record<string, string | string[]>,
  ): Promise<{ status: number; html: string }>
  /** The three feeds of a category, or of everything, as texts. */
  feeds(category?: string): Promise<{ rss: string; atom: string; json: JsonFeed }>
  /** The tick of an instant, everything done that it starts. */
  tick(now: string): Promise<{ runs: RunView[] }>
  /** Every mail so far, read, oldest first. */
  mails(): Promise<Email[]>
}

export interface Published {
  id: string
  url: string
  outcome: string
  categories: string[]
  mailed: boolean
  reason?: string
}

export interface RunView {
  id: string
  state: string
  reason?: string
  counts: Record<string, number>
}

export interface JsonFeed {
  items: {
    id: string
    url: string
    title: string
    date_published: string
    date_modified?: string
    content_html: string
  }[]
}

/** Opens the whole service on some platform; what the tests of journeys are given. */
export type OpenService = (
  options?: Pick<ScratchPlatformOptions, 'settings' | 'now'>,
) => Promise<Service>

/** The whole service on the scratch platform, spoken to as the world does: by HTTP and by mail. */
export async function openService(
  options: ScratchPlatformOptions = {},
): Promise<Service<ScratchPlatform> & { app: Hono }> {
  const platform = await scratchPlatform(options)
  const app = createApp(platform)
  const service = await serviceOn(platform, {
    request: (path, init) => app.request(path, init),
    tick: async ({ api }) => {
      const response = await api('POST', '/api/v1/tick', { now: platform.now().toISOString() })
      if (!response.ok) throw new Error(await response.text())
      return (await response.json()) as { runs: RunView[] }
    },
  })
  return { ...service, app }
}

/** The service behind some doors, closed when the test ends. */
export async function serviceOn<P extends JourneyPlatform>(
  platform: P,
  doors: Doors,
): Promise<Service<P>> {
  onTestFinished(() => platform.close())
  const app: Service['app'] = { request: (path, init) => doors.request(path, init) }
  const { key } = await createApiKey(platform, 'test')
  const { baseUrl } = platform.settings.site

  const send: Service['app']['request'] = async (path, init) => {
    const response = await app.request(path, init)
    if (init?.method && init.method !== 'GET') await doors.afterwards?.()
    return response
  }
  const api: Service['api'] = async (method, path, body, headers = {}) =>
    send(path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  const text = async (path: string) => {
    const response = await app.request(path)
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return response.text()
  }
  return {
    platform,
    app,
    api,
    publish: async (post) => {
      const response = await api('POST', '/api/v1/posts', post)
      if (!response.ok) throw new Error(await response.text())
      return (await response.json()) as Published
    },
    page: async (path, fields) => {
      const body = new URLSearchParams()
      for (const [name, value] of Object.entries(fields ?? {})) {
        for (const one of [value].flat()) body.append(name, one)
      }
      const response = await send(
        path.startsWith(baseUrl) ? path.slice(baseUrl.length) : path,
        fields ? { method: 'POST', body, headers: { origin: baseUrl } } : {},
      )
      return { status: response.status, html: await response.text() }
    },
    feeds: async (category) => {
      const folder = category ? `/feeds/${encodeURIComponent(category)}` : '/feeds'
      return {
        rss: await text(`${folder}/rss.xml`),
        atom: await text(`${folder}/atom.xml`),
        json: JSON.parse(await text(`${folder}/feed.json`)),
      }
    },
    tick: async (now) => {
      platform.setNow(now)
      return doors.tick({ api })
    },
    mails: async () => {
      await platform.settle()
      const all = await platform.outbox()
      const mails = await Promise.all(all.map(({ raw }) => PostalMime.parse(raw)))
      return mails.sort((a, b) => Date.parse(a.date ?? '') - Date.parse(b.date ?? ''))
    },
  }
}

/** The path of the first link in a mail that leads to a kind of page. */
export function linkIn(mail: Email | undefined, kind: string): string {
  const path = new RegExp(`https://news\\.example(/${kind}/[\\w.-]+)`).exec(mail?.text ?? '')?.[1]
  if (!path) throw new Error(`no link to ${kind} in: ${mail?.text}`)
  return path
}

/** The value of a header, unfolded. */
export function headerOf(mail: Email | undefined, name: string): string | undefined {
  return mail?.headers.find(({ key }) => key === name.toLowerCase())?.value
}
