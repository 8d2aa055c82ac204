import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerOf } from './connection.ts'

type Call = (path: string, init: RequestInit) => Promise<Response>

const reader = 'reader@example.com'

/**
 * Fills an empty service: a confirmed reader who hears of everything at once, then the demo posts,
 * dated back from the instant given, all in one batch so that one digest tells of them.
 * `undefined` when there are posts or readers already.
 */
export async function fillWithDemo(
  call: Call,
  now: Date,
): Promise<{ posts: number; reader: string } | undefined> {
  const lists = await Promise.all(
    ['/api/v1/posts?limit=1', '/api/v1/subscribers?limit=1'].map(async (path) =>
      answerOf<{ items: unknown[] }>(await call(path, { method: 'GET' })),
    ),
  )
  if (lists.some(({ items }) => items.length > 0)) return undefined

  const at = now.toISOString()
  await answerOf(
    await call('/api/v1/subscribers/import', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: `email,categories,cadence,confirmedAt,consent\n${reader},,instant,${at},demo\n`,
    }),
  )
  const posts = demoPosts(now)
  const response = await call('/api/v1/imports?mail=true', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: posts.map((post) => JSON.stringify(post)).join('\n'),
  })
  const outcomes = (await response.text()).trim().split('\n')
  const published = outcomes.filter((line) => JSON.parse(line).outcome === 'published').length
  if (published < posts.length) throw new Error(`a demo post was refused: ${outcomes.join('\n')}`)
  return { posts: published, reader }
}

/** The Markdown files of `demo/`, each with a date in its front matter: the first is the newest. */
function demoPosts(now: Date): { path: string; source: string }[] {
  const folder = join(process.env.BROADSHEET_ROOT ?? '.', 'demo')
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
  return names.map((name, index) => {
    const date = new Date(now.getTime() - (index * 3 * 60 + 7) * 60_000).toISOString()
    const text = readFileSync(join(folder, name), 'utf8')
    return {
      path: name.replace(/^\d+-/, ''),
      source: text.replace(/^---\r?\n/, `---\ndate: ${date}\n`),
    }
  })
}
