import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type PublishInboxFile, watchInbox } from '../../functions/local/inbox-watcher.ts'
import { scratchPlatform } from '../support/scratch-platform.ts'

interface Options {
  publish?: PublishInboxFile
  /** Whether time passes and the watcher looks by itself; without it only `look` does. */
  isAlive?: boolean
}

async function open({
  publish = async () => ({ status: 'published' }),
  isAlive = false,
}: Options = {}) {
  if (!isAlive) {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
  }
  const platform = await scratchPlatform()
  const folder = join(platform.folder, 'inbox')
  const published: string[] = []
  const inbox = watchInbox(platform, folder, async (given, file) => {
    published.push(`${file.path}: ${Buffer.from(file.bytes).toString()}`)
    return publish(given, file)
  })
  onTestFinished(async () => {
    await inbox.stop()
    await platform.close()
  })
  const drop = (path: string, text: string | Uint8Array, ageSeconds = 10) => {
    const full = join(folder, path)
    fs.mkdirSync(dirname(full), { recursive: true })
    fs.writeFileSync(full, text)
    const at = Date.now() / 1000 - ageSeconds
    fs.utimesSync(full, at, at)
  }
  const left = () =>
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted()
  return { platform, folder, inbox, published, drop, left }
}

describe('a file in the inbox', () => {
  it('is published with its path and removed', async () => {
    const { inbox, drop, published, left, folder } = await open()
    drop('b.md', 'second')
    drop('a/报.md', 'first')
    await inbox.look()
    expect(published).toEqual(['a/报.md: first', 'b.md: second'])
    expect(left()).toEqual([])
    expect(fs.readdirSync(folder)).toEqual(['rejected'])
  })

  it('is published soon after it was dropped, without a look', async () => {
    const { drop, published } = await open({ isAlive: true })
    drop('a.md', 'text', 0)
    await expect.poll(() => published).toEqual(['a.md: text'])
    drop('new/folder/b.md', 'text', 0)
    await expect.poll(() => published).toEqual(['a.md: text', 'new/folder/b.md: text'])
  })

  it('that is refused moves to `rejected/` with the reason beside it', async () => {
    const { inbox, drop, left, folder } = await open({
      publish: async () => ({
        status: 'refused',
        code: 'post.date',
        reason: 'The date cannot be read.',
      }),
    })
    drop('2022/bad.md', 'bytes')
    await inbox.look()
    expect(left()).toEqual(['rejected/2022/bad.md', 'rejected/2022/bad.md.reason.txt'])
    expect(fs.readFileSync(join(folder, 'rejected/2022/bad.md'), 'utf8')).toBe('bytes')
    expect(fs.readFileSync(join(folder, 'rejected/2022/bad.md.reason.txt'), 'utf8')).toMatch(
      /The date cannot be read\.\n\(post\.date\)/,
    )
  })

  it('in `rejected/` is left alone', async () => {
    const { inbox, drop, published } = await open()
    drop('rejected/a.md', 'text')
    await inbox.look()
    expect(published).toEqual([])
  })

  it('stays when something failed, and is tried again', async () => {
    let isFailing = true
    const { inbox, drop, left, published, platform } = await open({
      publish: async () => {
        if (isFailing) throw new Error('disk full')
        return { status: 'published' }
      },
    })
    drop('a.md', 'text')
    drop('b.md', 'text')
    await inbox.look()
    expect(left()).toEqual(['a.md', 'b.md'])
    expect(platform.logged.join()).toContain('disk full')
    isFailing = false
    await inbox.look()
    expect(left()).toEqual([])
    expect(published).toEqual(['a.md: text', 'b.md: text', 'a.md: text', 'b.md: text'])
  })

  it('that is still being written is left until it rests', async () => {
    const { inbox, drop, published } = await open()
    drop('a.md', 'half', 0)
    await inbox.look()
    expect(published).toEqual([])
    drop('a.md', 'half and the rest')
    await inbox.look()
    expect(published).toEqual(['a.md: half and the rest'])
  })

  it('that is saved anew while it is published is published again', async () => {
    const opened = await open({
      publish: async (_, { bytes }) => {
        if (bytes.length < 5) opened.drop('a.md', 'second', 5)
        return { status: 'published' }
      },
    })
    opened.drop('a.md', '1st')
    await opened.inbox.look()
    expect(opened.left()).toEqual(['a.md'])
    await opened.inbox.look()
    expect(opened.published).toEqual(['a.md: 1st', 'a.md: second'])
    expect(opened.left()).toEqual([])
  })

  it('over 5 MB is refused without being read', async () => {
    const { inbox, drop, published, left } = await open()
    drop('huge.md', new Uint8Array(5 * 1024 * 1024 + 1))
    await inbox.look()
    expect(published).toEqual([])
    expect(left()).toEqual(['rejected/huge.md', 'rejected/huge.md.reason.txt'])
  })

  it('that is hidden, unfinished or a link is none', async () => {
    const { inbox, drop, published, folder } = await open()
    for (const name of ['.DS_Store', '.git/config', 'a.md~', 'a.md.part', 'a.tmp', '.a.md.swp'])
      drop(name, 'x')
    fs.symlinkSync('/etc/passwd', join(folder, 'link.md'))
    fs.symlinkSync('/etc', join(folder, 'etc'))
    await inbox.look()
    expect(published).toEqual([])
  })
})
