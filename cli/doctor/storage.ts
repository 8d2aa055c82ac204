import { randomBytes } from 'node:crypto'
import { access, constants, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Check, fault, ok, warning } from './check.ts'

/** Whether the data folder, or the one that it would be made in, can be written and has room. */
export async function checkStorage(data: string): Promise<Check[]> {
  const folder = await existingFolder(resolve(data))
  if (!folder) {
    return [
      fault('storage', `${data} is not a folder.`, 'Name another with --data or BROADSHEET_DATA.'),
    ]
  }
  try {
    const probe = join(folder, `.broadsheet-${randomBytes(6).toString('hex')}`)
    await writeFile(probe, 'probe', { flush: true, flag: 'wx' })
    await rm(probe)
  } catch (error) {
    return [
      fault(
        'storage',
        `${folder} cannot be written (${(error as NodeJS.ErrnoException).code}).`,
        'Give this user the right to write there, or name another folder with --data.',
      ),
    ]
  }
  return [
    ok('storage', `${resolve(data)} can be written`),
    await checkSpace(folder),
    ...(await checkSecrets(data)),
  ]
}

async function checkSpace(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const megabytes = Math.floor((bavail * bsize) / 1e6)
  const room = `${megabytes.toLocaleString('en')} MB are free`
  const fix = 'Make room, or move the data folder to a larger disk.'
  if (megabytes < 100) return fault('disk', `Only ${room}.`, fix)
  if (megabytes < 1000) return warning('disk', `Only ${room}.`, fix)
  return ok('disk', room)
}

async function checkSecrets(data: string): Promise<Check[]> {
  const file = join(data, 'secrets.json')
  try {
    const { mode } = await stat(file)
    if ((mode & 0o077) === 0) return [ok('secrets', 'only this user can read them')]
    return [fault('secrets', `Others on this machine can read ${file}.`, `Run: chmod 600 ${file}`)]
  } catch {
    // Made on first start.
    return []
  }
}

async function existingFolder(folder: string): Promise<string | undefined> {
  for (let here = folder; ; here = dirname(here)) {
    try {
      await access(here, constants.F_OK)
      return (await stat(here)).isDirectory() ? here : undefined
    } catch {
      if (dirname(here) === here) return undefined
    }
  }
}
