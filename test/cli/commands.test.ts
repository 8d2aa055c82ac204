import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { broadsheet, scratchFolder } from './broadsheet-process.ts'

// Processes share the machine with other tests.
vi.setConfig({ testTimeout: 90_000 })

const lines = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

describe('import', () => {
  it('names every file in its report, and repeats without a change', async () => {
    const cwd = scratchFolder()
    const blog = join(cwd, 'blog')
    mkdirSync(join(blog, '_posts/deep/er'), { recursive: true })
    mkdirSync(join(blog, '.git'))
    mkdirSync(join(blog, 'node_modules'))
    const write = (name: string, text: string | Buffer) => writeFileSync(join(blog, name), text)
    write('_posts/2026-01-02-hello.md', '---\ntitle: Hello\ncategory: news\n---\nText.\n')
    write(
      '_posts/deep/er/2026-01-03-utf16.md',
      Buffer.from('\ufeff---\ntitle: Größe\n---\nText.\n', 'utf16le'),
    )
    write('_posts/2026-01-04-draft.md', '---\ntitle: Draft\ndraft: true\n---\nText.\n')
    write('_posts/2026-01-05-broken.md', '---\ntitle: Broken\ndate: someday\n---\nText.\n')
    write('_posts/undated.md', '---\ntitle: Undated\n---\nText.\n')
    write('_posts/2026-01-06-huge.md', Buffer.alloc(5 * 1024 * 1024 + 1, 'x'))
    write('cat.jpg', Buffer.from([0xff, 0xd8]))
    write('.git/config', 'none of ours')
    write('node_modules/2026-01-07-no.md', '---\ntitle: No\n---\n')
    writeFileSync(join(cwd, 'secret.md'), '---\ntitle: Secret\n---\nOutside.\n')
    symlinkSync(join(cwd, 'secret.md'), join(blog, '_posts/2026-01-08-link.md'))

    const dry = await broadsheet(['import', 'blog', '--dry-run', '--report', 'dry.ndjson'], { cwd })
    expect(dry.code).toBe(3)
    expect(dry.stdout).toContain('Nothing was changed')
    expect((await broadsheet(['posts', '--json'], { cwd })).stdout).toBe('')

    const done = await broadsheet(['import', 'blog', '--report', 'report.ndjson'], { cwd })
    expect(done.code).toBe(3)
    const report = lines(readFileSync(join(cwd, 'report.ndjson'), 'utf8'))
    const found = Object.fromEntries(report.map(({ path, outcome }) => [path, outcome]))
    expect(found).toEqual({
      '_posts/2026-01-02-hello.md': 'published',
      '_posts/2026-01-04-draft.md': 'hidden',
      '_posts/2026-01-05-broken.md': 'refused',
      '_posts/2026-01-06-huge.md': 'refused',
      '_posts/2026-01-08-link.md': 'ignored',
      '_posts/deep/er/2026-01-03-utf16.md': 'published',
      '_posts/undated.md': 'refused',
      'cat.jpg': 'ignored',
    })
    for (const { path, outcome, id, code, reason } of report) {
      const isStored = ['published', 'updated', 'unchanged', 'hidden'].includes(outcome)
      expect([path, typeof id]).toEqual([path, isStored ? 'string' : 'undefined'])
      const isTold = ['hidden', 'ignored', 'refused'].includes(outcome)
      expect([path, Boolean(code && reason)]).toEqual([path, isTold])
    }
    for (const path of ['broken', 'huge', 'undated']) expect(done.stderr).toContain(path)
    // The plan of the dry run is what then happened.
    const planned = lines(readFileSync(join(cwd, 'dry.ndjson'), 'utf8'))
    expect(Object.fromEntries(planned.map(({ path, outcome }) => [path, outcome]))).toEqual(found)

    const again = await broadsheet(['import', 'blog', '--json'], { cwd })
    const outcomes = lines(again.stdout).map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(2)
    expect(outcomes).not.toContain('published')
    expect(readdirSync(join(cwd, 'data/outbox')).filter((name) => name.endsWith('.eml'))).toEqual(
      [],
    )
  })

  it('takes NDJSON as the API does', async () => {
    const cwd = scratchFolder()
    const posts = [1, 2].map((n) => ({
      id: `p${n}`,
      title: `Post ${n}`,
      published: '2026-01-02T03:04:05Z',
      categories: ['news'],
      content: 'Text.',
    }))
    writeFileSync(join(cwd, 'posts.ndjson'), posts.map((one) => JSON.stringify(one)).join('\n'))
    expect(await broadsheet(['import', 'posts.ndjson'], { cwd })).toMatchObject({
      code: 0,
      stdout: '2 published (2 files)\n',
    })
  })

  it('says what is wrong with a path', async () => {
    const cwd = scratchFolder()
    const { code, stderr } = await broadsheet(['import', 'nowhere'], { cwd })
    expect([code, stderr]).toEqual([2, 'There is no nowhere.\n'])
  })
})

describe('publish', () => {
  it('goes on after a refused post, names it, and ends with 3', async () => {
    const cwd = scratchFolder()
    writeFileSync(join(cwd, 'bad.md'), '---\ntitle: Bad\ndate: yesterday-ish\n---\nText.\n')
    writeFileSync(join(cwd, 'good.md'), '# Good\n\nText.\n')
    const { code, stdout, stderr } = await broadsheet(['publish', 'bad.md', 'good.md'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toMatch(/refused {2}bad\.md: .*\(post\.date\)/)
    expect(stdout).toContain('/posts/good/')
  })

  it('knows a file by its path below the root', async () => {
    const cwd = scratchFolder()
    for (const folder of ['a', 'b']) {
      mkdirSync(join(cwd, folder))
      writeFileSync(join(cwd, folder, 'same.md'), `# In ${folder}\n\nText.\n`)
    }
    const args = ['publish', '--json', '--root', '.', 'a/same.md', 'b/same.md']
    const first = lines((await broadsheet(args, { cwd })).stdout)
    expect(first.map(({ outcome }) => outcome)).toEqual(['published', 'published'])
    writeFileSync(join(cwd, 'a/same.md'), '# In a, edited\n\nText.\n')
    const second = lines((await broadsheet(args, { cwd })).stdout)
    expect(second.map(({ outcome }) => outcome)).toEqual(['updated', 'unchanged'])
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
    const outside = await broadsheet(['publish', '--root', 'a', 'b/same.md'], { cwd })
    expect(outside.code).toBe(2)
  })

  it('never takes one of two files of the same name for an edit of the other', async () => {
    const cwd = scratchFolder()
    for (const folder of ['a', 'b']) {
      mkdirSync(join(cwd, folder))
      writeFileSync(join(cwd, folder, 'index.md'), `# In ${folder}\n\nText.\n`)
    }
    const both = await broadsheet(['publish', 'a/index.md', 'b/index.md'], { cwd })
    expect(both).toMatchObject({ code: 2, stdout: '' })
    expect(both.stderr).toContain('a/index.md and b/index.md are both known as index.md')
    expect(both.stderr).toContain('--root')
    // One file named twice is no such case.
    expect(await broadsheet(['publish', 'a/index.md', './a/index.md'], { cwd })).toMatchObject({
      code: 0,
    })
  })

  it('names what is not there or no post, publishes the others, and ends with 2', async () => {
    const cwd = scratchFolder()
    mkdirSync(join(cwd, 'folder'))
    writeFileSync(join(cwd, 'cat.jpg'), 'x')
    writeFileSync(join(cwd, 'good.md'), '# Good\n\nText.\n')
    const args = ['publish', 'nothere.md', 'folder', 'cat.jpg', 'good.md']
    const { code, stdout, stderr } = await broadsheet(args, { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('There is no nothere.md.\n')
    expect(stderr).toContain('folder is a folder.')
    expect(stderr).toContain('cat.jpg is no post by its name.')
    expect(stdout).toContain('/posts/good/')
  })

  it('refuses an empty file, and says when a post of the future comes out and is mailed', async () => {
    const cwd = scratchFolder()
    writeFileSync(join(cwd, 'empty.md'), '')
    writeFileSync(join(cwd, 'later.md'), '---\ntitle: Later\ndate: 2099-01-01\n---\nText.\n')
    const { code, stdout, stderr } = await broadsheet(['publish', 'empty.md', 'later.md'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toMatch(/refused {2}empty\.md: .*\(post\.title\)/)
    expect(stdout).toMatch(/^scheduled {2}/)
    expect(stdout).toContain('comes out on 2099-01-01T00:00:00Z; it is mailed then.')
  })
})

describe('feeds rebuild', () => {
  it('names the feeds that it rendered again', async () => {
    const cwd = scratchFolder()
    writeFileSync(join(cwd, 'one.md'), '---\ncategories: [news]\n---\n# One\n\nText.\n')
    await broadsheet(['publish', 'one.md'], { cwd })
    expect(await broadsheet(['feeds', 'rebuild'], { cwd })).toMatchObject({
      code: 0,
      stdout: 'Rendered again: 2 feeds (everything, news)\n',
    })
  })
})

describe('readers and their digests', () => {
  it('come in by CSV, get one digest, leave by erasing', async () => {
    const cwd = scratchFolder()
    const csv = [
      'email,cadence,day,at,timeZone,confirmedAt,consent',
      'ada@example.org,weekly,mon,08:00,UTC,2026-01-01T00:00:00Z,paper form 7',
      'no address,weekly,mon,08:00,UTC,2026-01-01T00:00:00Z,paper form 8',
    ].join('\n')
    writeFileSync(join(cwd, 'readers.csv'), csv)
    const taken = await broadsheet(['subscribers', 'import', 'readers.csv'], { cwd })
    expect(taken).toMatchObject({ code: 3, stdout: '1 added · 1 refused (2 rows)\n' })
    expect(taken.stderr).not.toContain('no address')

    await broadsheet(['publish', '-'], { cwd, input: '# News\n\nText.\n' })
    const preview = await broadsheet(['digest', 'preview', '--out', 'preview', '--json'], { cwd })
    expect(preview.code).toBe(0)
    expect(readdirSync(join(cwd, 'preview')).sort()).toEqual([
      'digest.eml',
      'digest.html',
      'digest.txt',
    ])
    for (const at of ['+7d', '2026-03-09T08:00:00Z']) {
      const then = await broadsheet(['digest', 'preview', '--at', at], { cwd })
      expect(then).toMatchObject({ code: 0, stdout: expect.stringContaining('News') })
    }

    const due = new Date(Date.now() + 8 * 86_400_000).toISOString()
    const ticked = await broadsheet(['tick', '--now', due, '--json'], { cwd })
    const [run] = JSON.parse(ticked.stdout).runs
    expect(run).toMatchObject({ state: 'done', counts: { candidates: 1, accepted: 1, pending: 0 } })
    const [listed] = lines((await broadsheet(['runs', '--json'], { cwd })).stdout)
    expect(listed).toEqual(run)
    const shown = await broadsheet(['subscribers', 'show', 'ADA@example.org', '--json'], { cwd })
    expect(JSON.parse(shown.stdout).deliveries).toMatchObject([
      { runId: run.id, state: 'accepted' },
    ])

    const csvOut = await broadsheet(['subscribers', 'export'], { cwd })
    writeFileSync(join(cwd, 'out.csv'), csvOut.stdout)
    const same = await broadsheet(['subscribers', 'import', 'out.csv'], { cwd })
    expect(same).toMatchObject({ code: 0, stdout: '1 unchanged (1 row)\n' })

    expect(
      readdirSync(join(cwd, 'data/outbox')).filter((name) => name.endsWith('.eml')),
    ).toHaveLength(1)
    expect(await broadsheet(['subscribers', 'erase', 'ada@example.org'], { cwd })).toMatchObject({
      code: 0,
    })
    expect(await broadsheet(['subscribers', 'show', 'nobody@example.org'], { cwd })).toMatchObject({
      code: 5,
    })
    const later = new Date(Date.now() + 15 * 86_400_000).toISOString()
    await broadsheet(['publish', '-'], { cwd, input: '# More\n\nText.\n' })
    await broadsheet(['tick', '--now', later], { cwd })
    expect(readdirSync(join(cwd, 'data/outbox')).filter((name) => name.endsWith('.eml'))).toEqual(
      [],
    )
    const erased = await broadsheet(['subscribers', 'show', 'ada@example.org'], { cwd })
    expect(erased.stdout).toContain('erased')
    expect(erased.stdout).not.toMatch(/reads|hears/)
  })
})

describe('backup and restore', () => {
  it('bring everything back, with sending paused until it is resumed', async () => {
    const cwd = scratchFolder()
    await broadsheet(['publish', '-'], { cwd, input: '# Kept\n\nText.\n' })
    expect(await broadsheet(['backup', 'copy'], { cwd })).toMatchObject({ code: 0 })
    expect(await broadsheet(['backup', 'copy'], { cwd })).toMatchObject({ code: 2 })
    expect(await broadsheet(['restore', 'copy'], { cwd })).toMatchObject({ code: 7 })
    expect(await broadsheet(['restore', 'preview'], { cwd })).toMatchObject({ code: 5 })

    const { code, stdout } = await broadsheet(['restore', 'copy', '--data', 'new'], { cwd })
    expect([code, stdout]).toEqual([0, expect.stringContaining('runs resume --data new')])
    const { at } = JSON.parse(readFileSync(join(cwd, 'copy/backup.json'), 'utf8'))
    expect(stdout).toContain(`The backup is of ${at}.`)
    expect(existsSync(join(cwd, 'new/backup.json'))).toBe(false)
    const restored = await broadsheet(['posts', '--json', '--data', 'new'], { cwd })
    expect(JSON.parse(restored.stdout).title).toBe('Kept')
    const resumed = await broadsheet(['runs', 'resume', '--json', '--data', 'new'], { cwd })
    expect(JSON.parse(resumed.stdout)).toEqual({ paused: false })
  })
})

describe('what is wrong in the call', () => {
  it.each([
    [['posts', '--categry', 'x'], 2, 'Did you mean --category?'],
    [['pots'], 2, 'Did you mean posts?'],
    [['keys', 'create'], 2, 'missing required argument'],
    [['keys', 'create', 'x', '--scope', 'all'], 2, 'There is no scope `all`'],
    [['runs', '--stack', 'news', '--url', 'http://a.example'], 2, '`--stack` goes without'],
    [['posts', '--config', 'none.yaml'], 2, 'There is no file none.yaml'],
    [['tick', '--now', 'soon'], 2, 'is no instant'],
    [['posts', '--limit', 'abc'], 2, '`abc` is no number'],
    [['runs', '--limit', '0'], 2, '`0` is no number'],
    [['runs', 'pause', ''], 2, 'The id of the run is empty'],
    [['runs', 'resume', '', '--from-now'], 2, 'The id of the run is empty'],
    [['tick', '--now', ''], 2, 'is no instant'],
    [['keys', 'crate', 'x'], 2, 'Did you mean create?'],
    [['runs', 'shwo', 'x'], 2, 'Did you mean show?'],
    [['posts', '--data', 'nowhere/x'], 2, 'There is no data folder nowhere/x'],
    [['backup', 'copy', '--data', 'nowhere/x'], 2, 'There is no data folder nowhere/x'],
    [['digest', 'preview', '--cadence', 'hourly'], 2, 'The frequency must be one of'],
    [['digest', 'preview', '--categories', 'nope'], 2, '`nope` is not a category here'],
    [['start', '--port', '99999'], 2, 'is no port'],
    [['withdraw', 'nothing'], 5, 'does not exist'],
    [['runs', 'show', 'nothing'], 5, 'does not exist'],
    [['posts', '--category', 'none'], 5, 'does not exist'],
  ])('%j ends with %i', async (args, code, message) => {
    const result = await broadsheet(args, { cwd: scratchFolder() })
    expect(result.stderr).toContain(message)
    expect(result).toMatchObject({ code, stdout: '' })
  })
})

describe('output', () => {
  it('is plain in a pipe, without the tricks of a title', async () => {
    const cwd = scratchFolder()
    await broadsheet(['publish', '-'], {
      cwd,
      input: '---\ntitle: "a\\u001b[31mred\\rfaked"\n---\nx\n',
    })
    const { stdout } = await broadsheet(['posts'], { cwd })
    expect(stdout).not.toMatch(/[\u001b\r]/)
    expect(stdout).toContain('faked')
  })
})
