import fs from 'node:fs'
import { join } from 'node:path'
import type { ReadableOutbox } from '../platform.ts'
import { isAbsence } from './durable-files.ts'

const ids = /^[A-Za-z0-9_-]{1,256}$/

/** Reads the mails that `outboxMailer` keeps in a folder. */
export function outboxFolder(folder: string): ReadableOutbox {
  return {
    list: async ({ limit, after }) => {
      const mails = await mailsIn(folder)
      mails.sort((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))
      const from = after === undefined ? 0 : mails.findIndex((mail) => mail.id === after) + 1
      return mails.slice(from, from + Math.min(Math.max(limit, 1), 1000))
    },
    read: async (id) => {
      if (!ids.test(id)) return undefined
      try {
        return await fs.promises.readFile(join(folder, `${id}.eml`), {
          flag: fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW,
        })
      } catch (error) {
        if (isAbsence(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
        throw error
      }
    },
    forget: async (subscriberId, exceptRun) => {
      for (const { id } of await mailsIn(folder)) {
        // Ids of deliveries and confirmations name their reader.
        if (!id.split('_').includes(subscriberId)) continue
        if (exceptRun !== undefined && id.startsWith(`${exceptRun}_`)) continue
        await fs.promises.rm(join(folder, `${id}.eml`), { force: true })
      }
    },
  }
}

/** Removes mails older than `days`; they are only there to be looked at. Returns how many. */
export async function pruneOutbox(folder: string, days: number, now: Date): Promise<number> {
  const oldest = now.getTime() - days * 86_400_000
  const old = (await mailsIn(folder)).filter(({ at }) => at.getTime() < oldest)
  for (const { id } of old) await fs.promises.rm(join(folder, `${id}.eml`), { force: true })
  return old.length
}

async function mailsIn(folder: string): Promise<{ id: string; at: Date }[]> {
  const mails: { id: string; at: Date }[] = []
  try {
    for await (const entry of await fs.promises.opendir(folder)) {
      const id = entry.name.slice(0, -'.eml'.length)
      if (!entry.isFile() || !entry.name.endsWith('.eml') || !ids.test(id)) continue
      const stat = fs.statSync(join(folder, entry.name), { throwIfNoEntry: false })
      if (stat) mails.push({ id, at: stat.mtime })
    }
  } catch (error) {
    if (!isAbsence(error)) throw error
  }
  return mails
}
