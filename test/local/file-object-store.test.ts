import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileObjectStore } from '../../functions/local/file-object-store.ts'
import { objectStoreContract } from '../contracts/object-store.ts'
import { killedWriter } from '../support/killed-writer.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const html = { contentType: 'text/html; charset=utf-8' }
const bytes = (text: string) => new TextEncoder().encode(text)

objectStoreContract('a folder', async () => {
  const folder = temporaryFolder()
  return {
    objects: fileObjectStore({ folder }),
    again: async () => fileObjectStore({ folder }),
    close: async () => {},
  }
})

objectStoreContract('a folder with its inbox elsewhere', async () => {
  const folder = temporaryFolder()
  const open = () =>
    fileObjectStore({
      folder: join(folder, 'objects'),
      places: { p: join(folder, 'p') },
      syncs: false,
    })
  return { objects: open(), again: async () => open(), close: async () => {} }
})

/** Every file below a folder but the store's own. */
function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.broadsheet/'))
    .toSorted()
}

describe('public/', () => {
  it('is ready for any web server: the bytes at their addresses and nothing beside', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('public/feeds/泰州/rss.xml', bytes('<rss/>'), {
      contentType: 'application/rss+xml; charset=utf-8',
      cacheControl: 'public, max-age=60',
      version: '7',
    })
    await objects.put('public/index.html', bytes('<!doctype html>'), html)
    expect(filesIn(folder)).toEqual(['public/feeds/泰州/rss.xml', 'public/index.html'])
    expect(fs.readFileSync(join(folder, 'public/feeds/泰州/rss.xml'), 'utf8')).toBe('<rss/>')
  })

  it('loses its empty folders with their last document', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('public/posts/a/index.html', bytes('a'), html)
    await objects.put('public/posts/b/index.html', bytes('b'), html)
    await objects.delete('public/posts/a/index.html')
    expect(fs.readdirSync(join(folder, 'public/posts'))).toEqual(['b'])
    await objects.delete('public/posts/b/index.html')
    expect(fs.readdirSync(join(folder, 'public'))).toEqual([])
    await objects.put('public/posts/a/index.html', bytes('again'), html)
    expect(filesIn(folder)).toEqual(['public/posts/a/index.html'])
  })

  it('shows what a person changed in the folder', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('public/a.html', bytes('ours'), { ...html, version: '3' })
    const before = await objects.get('public/a.html')
    fs.writeFileSync(join(folder, 'public/a.html'), 'theirs')
    const after = await objects.get('public/a.html')
    expect(after?.body.toString()).toBe('theirs')
    expect(after?.etag).not.toBe(before?.etag)
    expect(after?.version).toBeUndefined()
  })
})

describe('a crash', () => {
  it('between writing and renaming leaves the old object, and the leftover goes with the next start', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('posts/1/source', bytes('old'), { contentType: 'text/markdown' })
    const temporary = join(folder, '.broadsheet/tmp')
    fs.writeFileSync(join(temporary, '999999999-half'), 'ne')
    fs.writeFileSync(join(temporary, `${process.ppid}-running`), 'another process is at it')
    const again = fileObjectStore({ folder })
    expect((await again.get('posts/1/source'))?.body.toString()).toBe('old')
    expect((await again.list('')).objects.map(({ key }) => key)).toEqual(['posts/1/source'])
    expect(fs.readdirSync(temporary)).toEqual([`${process.ppid}-running`])
  })

  it('between an object and what is told of it never gives bytes the version of others', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    const path = join(folder, 'public/feeds/rss.xml')
    const put = (body: string, version: string) =>
      objects.put('public/feeds/rss.xml', bytes(body), {
        contentType: 'application/rss+xml',
        version,
      })
    await put('one', '1')
    const one = fs.readFileSync(path)
    await put('two', '2')
    // As if only the note of the second had reached the disk.
    fs.writeFileSync(path, one)
    expect((await objects.get('public/feeds/rss.xml'))?.version).toBe('1')
    // As if the note had been torn.
    for (const note of fs.globSync(join(folder, '.broadsheet/meta/*/*.json'))) {
      fs.writeFileSync(note, '{"a')
    }
    expect(await objects.get('public/feeds/rss.xml')).toMatchObject({
      contentType: 'application/rss+xml; charset=utf-8',
    })
  })

  it('of the process at any instant loses no object that was answered, and leaves none torn', async () => {
    const folder = temporaryFolder()
    for (const [round, lines] of [40, 7, 130].entries()) {
      const keys = await killedWriter('test/local/object-writer.ts', [folder, `${round}`], lines)
      const objects = fileObjectStore({ folder })
      for (const key of keys) {
        const found = await objects.get(key)
        expect(JSON.parse(found?.body.toString() ?? 'null')?.key).toBe(key)
      }
      for (const { key } of (await objects.list('posts/')).objects) {
        expect(JSON.parse((await objects.get(key))?.body.toString() ?? '')).toMatchObject({ key })
      }
    }
  })
})

describe('what stands in the way', () => {
  it('of an object under another one is told, and harms neither', async () => {
    const objects = fileObjectStore({ folder: temporaryFolder() })
    await objects.put('a', bytes('a'), html)
    await expect(objects.put('a/b', bytes('b'), html)).rejects.toThrow()
    expect(await objects.get('a/b')).toBeUndefined()
    await objects.delete('a/b')
    await objects.put('c/d', bytes('d'), html)
    await expect(objects.put('c', bytes('c'), html)).rejects.toThrow()
    expect((await objects.list('')).objects.map(({ key }) => key)).toEqual(['a', 'c/d'])
  })

  it('as a symbolic link is not followed', async () => {
    const outside = temporaryFolder()
    fs.writeFileSync(join(outside, 'secret.html'), 'secret')
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('public/in.html', bytes('in'), html)
    fs.symlinkSync(outside, join(folder, 'public/out'))
    fs.symlinkSync(join(outside, 'secret.html'), join(folder, 'public/link.html'))
    fs.symlinkSync(outside, join(folder, 'linked'))
    for (const key of ['public/out/secret.html', 'public/link.html', 'linked/secret.html']) {
      expect(await objects.get(key)).toBeUndefined()
    }
    expect((await objects.list('')).objects.map(({ key }) => key)).toEqual(['public/in.html'])
    await expect(objects.put('public/out/new.html', bytes('x'), html)).rejects.toThrow(
      'symbolic link',
    )
    await expect(objects.put('linked/deep/new.html', bytes('x'), html)).rejects.toThrow()
    await objects.delete('public/out/secret.html')
    await objects.put('public/link.html', bytes('ours'), html)
    expect(fs.readdirSync(outside)).toEqual(['secret.html'])
    expect(fs.readFileSync(join(outside, 'secret.html'), 'utf8')).toBe('secret')
    expect((await objects.get('public/link.html'))?.body.toString()).toBe('ours')
  })

  it('as the store’s own folder cannot be named by a key', async () => {
    const objects = fileObjectStore({ folder: temporaryFolder() })
    for (const key of ['.broadsheet/tmp/x', '.Broadsheet/x', '.broadsheet']) {
      await expect(objects.put(key, bytes('x'), html)).rejects.toThrow('is refused')
    }
    await objects.put('public/.broadsheet', bytes('x'), html)
  })

  it('as a full disk is told, and the old object stays', async () => {
    const folder = temporaryFolder()
    const objects = fileObjectStore({ folder })
    await objects.put('posts/1/source', bytes('old'), html)
    const temporary = join(folder, '.broadsheet/tmp')
    fs.rmSync(temporary, { recursive: true })
    fs.writeFileSync(temporary, 'no folder: every write fails, as on a full disk')
    await expect(objects.put('posts/1/source', bytes('new'), html)).rejects.toThrow()
    await expect(objects.put('public/x.html', bytes('new'), html)).rejects.toThrow()
    expect((await objects.get('posts/1/source'))?.body.toString()).toBe('old')
  })
})
