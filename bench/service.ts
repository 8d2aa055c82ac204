import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReadableStream } from 'node:stream/web'
import type { Hono } from 'hono'
import { createApp } from '../functions/app.ts'
import { jsonLog } from '../functions/json-log.ts'
import { type LocalPlatform, localPlatform } from '../functions/local/platform.ts'
import { readSettings } from '../functions/settings/settings-file.ts'
import { samplePost } from './sample-posts.ts'

export interface BenchService {
  platform: LocalPlatform
  app: Hono
  api(method: string, path: string, body?: BodyInit, type?: string): Promise<Response>
  /** Imports sample posts `from` to `to` and waits for their feeds and pages. */
  importPosts(from: number, to: number): Promise<void>
  close(): Promise<void>
}

export interface BenchServiceOptions {
  /** @default the outbox in the folder */
  smtpUrl?: string
  /** Mails a second. @default as many as leave */
  limit?: number
  /** Stays when the service is closed. @default one of its own, which does not */
  folder?: string
}

/** The service as `start` runs it, on a real folder, synced to the disk; without the server's socket. */
export async function openService({
  smtpUrl,
  limit,
  folder: given,
}: BenchServiceOptions = {}): Promise<BenchService> {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'broadsheet-bench-'))
  const limits = limit === undefined ? '' : `, limits: {perSecond: ${limit}}`
  const settings = readSettings({
    yaml: `site: {baseUrl: "https://news.example"}\nmail: {from: "The Gazette <news@news.example>"${limits}}`,
    env: smtpUrl === undefined ? {} : { BROADSHEET_SMTP_URL: smtpUrl },
  })
  const log = jsonLog({ level: 'warn' })
  const platform = await localPlatform({ data: folder, settings, log })
  const app = createApp(platform)
  platform.startWorker()
  const api: BenchService['api'] = async (method, path, body, type = 'application/json') =>
    app.request(path, {
      method,
      headers: { authorization: `Bearer ${platform.localKey}`, 'content-type': type },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    })
  return {
    platform,
    app,
    api,
    async importPosts(from, to) {
      async function* lines() {
        for (let n = from; n < to; n++) yield Buffer.from(`${JSON.stringify(samplePost(n))}\n`)
      }
      const body = ReadableStream.from(lines()) as unknown as BodyInit
      const response = await api('POST', '/api/v1/imports', body, 'application/x-ndjson')
      let published = 0
      for (const line of (await response.text()).split('\n')) {
        if (line.includes('"published"')) published++
      }
      if (published !== to - from) throw new Error(`${published} of ${to - from} were published`)
    },
    async close() {
      await platform.close()
      if (given === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
