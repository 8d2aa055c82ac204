import { describe, expect, it, onTestFinished } from 'vitest'
import { createApiKey } from '../../functions/api/api-keys.ts'
import { createApp } from '../../functions/app.ts'
import type { Platform } from '../../functions/platform.ts'
import { scratchPlatform } from '../support/scratch-platform.ts'

/** The service on records of which `query` or `put` fails, and what it logs. */
async function open(broken: 'query' | 'put') {
  const platform = await scratchPlatform()
  onTestFinished(() => platform.close())
  const { key } = await createApiKey(platform, 'test')
  const fail = () => Promise.reject(new Error('the disk is away'))
  const records: Platform['records'] = { ...platform.records, [broken]: fail }
  const app = createApp({ ...platform, records })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' }
  const lines = () => platform.logged.map((line) => JSON.parse(line))
  return { app, headers, lines }
}

const anId = /^[0-9a-f-]{36}$/

describe('a line that is logged for a request', () => {
  it('bears an id of its own, by which lines of one request are told from those of others', async () => {
    const { app, lines } = await open('query')
    const answers = await Promise.all([app.request('/subscribe'), app.request('/subscribe')])
    expect(answers.map(({ status }) => status)).toEqual([500, 500])
    const ids = lines().map(({ event, request }) => [event, request])
    expect(ids).toEqual(Array(2).fill(['request.failed', expect.stringMatching(anId)]))
    expect(new Set(ids.map(([, id]) => id)).size).toBe(2)
  })

  it('bears it while the answer streams, whoever reads it', async () => {
    const { app, headers, lines } = await open('put')
    const body = JSON.stringify({ path: '2022-02-23-a.md', source: '# A' })
    const response = await app.request('/api/v1/imports', { method: 'POST', headers, body })
    await expect(response.text()).rejects.toThrow()
    expect(lines()).toMatchObject([
      { event: 'import.failed', request: expect.stringMatching(anId) },
    ])
  })
})
