import { simpleParser } from 'mailparser'
import { afterEach } from 'vitest'
import type { Run } from '../../functions/digests/runs/run.ts'
import { getRun } from '../../functions/digests/runs/run-store.ts'
import {
  type ScratchPlatform,
  type ScratchPlatformOptions,
  scratchPlatform,
} from '../support/scratch-platform.ts'
import { tickAt } from './newsroom.ts'

/** That of the running test, from `open` or `start`. */
export let platform: ScratchPlatform

afterEach(() => platform.close())

/** A service on Sunday evening. */
export async function open(options: ScratchPlatformOptions = {}) {
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', ...options })
}

/** A service whose clock has been running since the evening before. */
export async function start(options: ScratchPlatformOptions = {}) {
  await open(options)
  await tickAt(platform, '2026-03-01T18:00:00Z')
  return platform
}

export async function mails() {
  const outbox = await platform.outbox()
  return Promise.all(outbox.map(async ({ to, raw }) => ({ ...(await simpleParser(raw)), to, raw })))
}

/** Titles of posts that a text holds, of those that the tests publish. */
export async function titlesMailedTo(address: string) {
  const texts = (await mails()).filter(({ to }) => to === address).map(({ text = '' }) => text)
  return texts
    .map((text) => [...text.matchAll(/Post [A-Z]\b/g)].map(([title]) => title))
    .map((titles) => [...new Set(titles)].sort())
}

export const reread = async (run: Run | undefined) =>
  (await getRun(platform, run?.id ?? ''))?.value as Run
