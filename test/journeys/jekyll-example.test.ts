import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { broadsheet, scratchFolder } from '../cli/broadsheet-process.ts'

vi.setConfig({ testTimeout: 90_000 })

const example = fileURLToPath(new URL('../../examples/jekyll-blog', import.meta.url))

describe('examples/jekyll-blog', () => {
  it('does what its README says', async () => {
    const cwd = join(scratchFolder(), 'blog')
    cpSync(example, cwd, { recursive: true })
    const readme = readFileSync(join(cwd, 'README.md'), 'utf8')
    const commands = [...readme.matchAll(/^npx broadsheet (import .*?)(?: {2,}#.*)?$/gm)].map(
      ([, line = '']) => line.split(' '),
    )
    expect(commands).toEqual([
      ['import', '.', '--dry-run'],
      ['import', '.'],
    ])
    for (const args of commands) {
      const { code, stdout } = await broadsheet(args, { cwd })
      expect(code).toBe(0)
      expect(stdout).toContain('3 published · 1 hidden')
    }
    const publicFolder = join(cwd, 'data/objects/public')
    const feed = (slug: string) =>
      JSON.parse(readFileSync(join(publicFolder, 'feeds', slug, 'feed.json'), 'utf8'))
    expect(
      readdirSync(join(publicFolder, 'feeds'))
        .filter((name) => !name.includes('.'))
        .sort(),
    ).toEqual(['birds', 'garden', 'weather'])
    expect(feed('birds').title).toContain('Birds at the window')
    expect(feed('garden').title).toContain('The back garden')
    expect(feed('garden').items.map((item: { title: string }) => item.title)).toEqual([
      'Frost: a correction',
      'The seed order',
    ])
    // `20:15` without a zone is Dublin's, which is UTC in March.
    expect(feed('garden').items[1].date_published).toMatch(/^2026-03-06T20:15:00(\.000)?Z$/)
    expect(readdirSync(join(cwd, 'data/outbox')).filter((name) => name.endsWith('.eml'))).toEqual(
      [],
    )

    const published = await broadsheet(['publish', '--root', '.', '_drafts/swifts.md', '--json'], {
      cwd,
    })
    expect(JSON.parse(published.stdout)).toMatchObject({ outcome: 'hidden' })

    const [, steps = ''] = /```sh\n(grep [^`]*)```/.exec(readme) ?? []
    execFileSync('sh', ['-c', steps.split('\n')[0] ?? ''], { cwd })
    const today = readdirSync(join(cwd, '_posts')).find((name) => name.endsWith('-swifts.md')) ?? ''
    expect(steps).toContain(
      `npx broadsheet publish "_posts/${today.replace(/^[\d-]+(?=-)/, '$(date +%F)')}" --root .`,
    )
    const finished = await broadsheet(['publish', `_posts/${today}`, '--root', '.', '--json'], {
      cwd,
    })
    expect(JSON.parse(finished.stdout)).toMatchObject({ outcome: 'published', mailed: true })
  })
})
