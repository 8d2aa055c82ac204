import { afterEach } from 'vitest'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { letterRunId } from '../../../functions/keys.ts'
import { publishPost } from '../../../functions/posts/publish.ts'
import type { Settings } from '../../../functions/settings/settings.ts'
import {
  type ScratchPlatform,
  type ScratchPlatformOptions,
  scratchPlatform,
} from '../../support/scratch-platform.ts'

/** That of the running test, from `open` or `start`. */
export let platform: ScratchPlatform

afterEach(() => platform.close())

/** Opens a platform in the place of the one before. */
export async function open(options: ScratchPlatformOptions): Promise<ScratchPlatform> {
  await platform?.close()
  platform = await scratchPlatform(options)
  return platform
}

export const start = (mail: Partial<Settings['mail']> = {}) =>
  open({ settings: { mail, categories: { letters: { mail: 'letter' } } } })

export async function publish(
  fields: Record<string, unknown> = {},
  options: { mailAgain?: boolean; way?: 'publish' | 'import' } = {},
) {
  const post = { id: 'l', title: 'Post L', mail: 'letter', content: 'Dear all.', ...fields }
  const bytes = new TextEncoder().encode(JSON.stringify(post))
  const source = { bytes, contentType: 'application/json' } as const
  const outcome = await publishPost(platform, source, { way: 'publish', ...options })
  await platform.settle()
  return outcome
}

export const published = async (...given: Parameters<typeof publish>) => {
  const outcome = await publish(...given)
  if (!('post' in outcome)) throw new Error(JSON.stringify(outcome))
  return outcome
}

export async function run(postId: string, again = 0) {
  return (await getRun(platform, letterRunId(postId, again)))?.value
}

export const mailedTo = async () => (await platform.outbox()).map(({ to }) => to).sort()
