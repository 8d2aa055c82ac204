import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { currentFormat, openFormat } from '../../functions/local/folder-format.ts'
import { lockFolder } from '../../functions/local/folder-lock.ts'
import { openSecrets } from '../../functions/local/secrets-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function refusal(action: () => unknown): ServiceError {
  try {
    action()
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a data folder', () => {
  it('belongs to one process, and the second is told which', () => {
    const folder = temporaryFolder()
    const lock = lockFolder(folder)
    const error = refusal(() => lockFolder(folder))
    expect(error.code).toBe('folder.locked')
    expect(error.message).toContain(`Process ${process.pid}`)
    lock.release()
    lockFolder(folder).release()
  })

  it('is free again when its process was killed', async () => {
    const folder = temporaryFolder()
    const holder = join(import.meta.dirname, 'lock-holder.ts')
    const child = spawn(process.execPath, [holder, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    expect(refusal(() => lockFolder(folder)).message).toContain(`Process ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'close')
    const lock = lockFolder(folder)
    expect(lock.isAfterPowerCut).toBe(false)
    lock.release()
  })

  it('knows that the machine went down under its last process', () => {
    const folder = temporaryFolder()
    const note = { pid: 1, boot: 12_345, bootId: 'another start of the machine' }
    fs.writeFileSync(join(folder, 'lock.json'), JSON.stringify(note))
    const first = lockFolder(folder)
    expect(first.isAfterPowerCut).toBe(true)
    first.release()
    const second = lockFolder(folder)
    expect(second.isAfterPowerCut).toBe(false)
    second.release()
  })
})

describe('the format of a data folder', () => {
  const read = (folder: string) => JSON.parse(fs.readFileSync(join(folder, 'format.json'), 'utf8'))

  it('is noted in a new one', () => {
    const folder = temporaryFolder()
    openFormat(folder)
    openFormat(folder)
    expect(read(folder)).toEqual({ format: currentFormat })
  })

  it('of a newer program is refused, and nothing is touched', () => {
    const folder = temporaryFolder()
    fs.writeFileSync(join(folder, 'format.json'), '{"format": 99}')
    expect(() => openFormat(folder)).toThrow(expect.objectContaining({ code: 'folder.newer' }))
    expect(fs.readdirSync(folder)).toEqual(['format.json'])
    fs.writeFileSync(join(folder, 'format.json'), 'torn')
    expect(() => openFormat(folder)).toThrow(expect.objectContaining({ code: 'folder.format' }))
  })
})

describe('the secrets', () => {
  it('are made once, for the eyes of their user only', () => {
    const path = join(temporaryFolder(), 'secrets.json')
    const first = openSecrets(path)
    expect(fs.statSync(path).mode & 0o777).toBe(0o600)
    expect(openSecrets(path).secrets).toEqual(first.secrets)
    expect(first.secrets.subscribers.length).toBeGreaterThanOrEqual(43)
    expect(openSecrets(join(temporaryFolder(), 's')).secrets.subscribers).not.toBe(
      first.secrets.subscribers,
    )
  })

  it('show a rotation at once and keep the older keys of links', () => {
    const path = join(temporaryFolder(), 'secrets.json')
    const file = openSecrets(path)
    const { secrets } = file
    const [before] = secrets.links
    file.rotateLinks()
    file.keepLocalKey('bs_live_x')
    expect(secrets.links).toHaveLength(2)
    expect(secrets.links[1]).toEqual(before)
    expect(secrets.links[0]?.id).not.toBe(before?.id)
    const again = openSecrets(path)
    expect([again.secrets.links, again.localKey]).toEqual([secrets.links, 'bs_live_x'])
    expect(fs.statSync(path).mode & 0o777).toBe(0o600)
  })

  it('take the key of subscribers from outside, once and for all', () => {
    const path = join(temporaryFolder(), 'secrets.json')
    const given = 'a long enough secret'
    expect(openSecrets(path, given).secrets.subscribers).toBe(given)
    expect(openSecrets(path).secrets.subscribers).toBe(given)
    const error = refusal(() => openSecrets(path, 'another long enough secret'))
    expect(error.code).toBe('secrets.other-subscribers-key')
    expect(error.message).not.toContain('secret"')
    expect(refusal(() => openSecrets(`${path}2`, 'short')).code).toBe('secrets.weak')
  })

  it('that cannot be read are never replaced', () => {
    const path = join(temporaryFolder(), 'secrets.json')
    for (const text of ['', '{', '{}', '{"subscribers": "x", "links": []}', 'null']) {
      fs.writeFileSync(path, text)
      expect(refusal(() => openSecrets(path)).code).toBe('secrets.unreadable')
      expect(fs.readFileSync(path, 'utf8')).toBe(text)
    }
  })
})
