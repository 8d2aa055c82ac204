import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { localPlatform } from '../../functions/local/platform.ts'
import { startServer } from '../../functions/local/server.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'

it('closes a connection on which nothing moves, but waits for a tick as long as its mails take', async () => {
  const data = mkdtempSync(join(tmpdir(), 'broadsheet-server-'))
  const platform = await localPlatform({
    data,
    settings: defaultSettings,
    log: { info() {}, warn() {}, error() {} },
  })
  const app = {
    fetch: (_: Request, env?: { incoming: IncomingMessage }) =>
      Response.json({ patienceMs: env?.incoming.socket.timeout }),
  }
  const server = await startServer({ platform, app, host: '127.0.0.1', port: 0 })
  onTestFinished(async () => {
    await server.stop()
    rmSync(data, { recursive: true })
  })
  const patienceOf = async (path: string, method: string) =>
    ((await (await fetch(`${server.url}${path}`, { method })).json()) as { patienceMs: number })
      .patienceMs
  // Also on one connection, one after the other.
  expect(await patienceOf('/healthz', 'GET')).toBe(120_000)
  expect(await patienceOf('/api/v1/tick', 'POST')).toBe(0)
  expect(await patienceOf('/healthz', 'GET')).toBe(120_000)
})
