import { describe, expect, it } from 'vitest'
import { mortal } from './consistency.ts'
import { appOf, awaited, hello, json, platform, problemOf, send } from './posts-api.ts'

describe('POST /api/v1/imports', () => {
  const ndjson = { 'content-type': 'application/x-ndjson' }
  const linesOf = async (response: Response) =>
    (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('answers a line for each line', async () => {
    const body = [
      JSON.stringify({ path: '2022-02-23-a.md', source: '---\ntitle: A\n---\nText.' }),
      'nonsense',
      '',
      JSON.stringify({ ...hello, published: '2022-01-01' }),
    ].join('\r\n')
    const response = await send('POST', '/api/v1/imports', body, ndjson)
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    expect((await linesOf(response)).map(({ path, outcome }) => [path, outcome])).toEqual([
      ['2022-02-23-a.md', 'published'],
      ['line 2', 'refused'],
      ['line 4', 'published'],
    ])
    expect(awaited.length).toBeGreaterThan(2)
    const dry = await send('POST', '/api/v1/imports?dryRun=true&identity=name', body, ndjson)
    expect((await linesOf(dry)).map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'refused',
      'unchanged',
    ])
  })

  it('refuses a line over its limit by name and goes on', async () => {
    const long = JSON.stringify({ path: 'long.md', source: 'x'.repeat(9 * 1024 * 1024) })
    const large = JSON.stringify({
      path: '2022-02-23-large.md',
      source: 'x'.repeat(6 * 1024 * 1024),
    })
    const last = JSON.stringify({ path: '2022-02-23-a.md', source: '# A' })
    const response = await send('POST', '/api/v1/imports', `${long}\n${large}\n${last}`, ndjson)
    expect(
      (await linesOf(response)).map(({ path, outcome, code }) => [path, outcome, code]),
    ).toEqual([
      ['line 1', 'refused', 'import.line'],
      ['2022-02-23-large.md', 'refused', 'too-large'],
      ['2022-02-23-a.md', 'published', undefined],
    ])
  })

  it('answers nothing to nothing, and refuses other media types and queries', async () => {
    expect(await (await send('POST', '/api/v1/imports', '', ndjson)).text()).toBe('')
    await problemOf(await send('POST', '/api/v1/imports', '{}', json), 415)
    await problemOf(await send('POST', '/api/v1/imports?dryRun=maybe', '', ndjson), 422)
    await problemOf(await send('POST', '/api/v1/imports?identity=hash', '', ndjson), 422)
  })

  it('breaks off when the platform fails, so that nobody takes half a report for the whole', async () => {
    const { platform: failing } = mortal(platform, 3)
    const response = await appOf(failing).request('/api/v1/imports', {
      method: 'POST',
      headers: ndjson,
      body: JSON.stringify({ path: '2022-02-23-a.md', source: '# A' }),
    })
    await expect(response.text()).rejects.toThrow()
    expect(platform.logged.join()).toContain('import.failed')
  })
})
