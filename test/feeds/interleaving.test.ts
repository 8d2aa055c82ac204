import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { feedsBehind, regenerateFeed } from '../../functions/feeds/regenerate.ts'
import type { Platform } from '../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { freshDocuments, hidePost, storedDocuments, storePost } from './stored-posts.ts'

/** The platform of another worker: the same stores, each operation after `step`. */
function workerOn<P extends Platform>(platform: P, step: () => Promise<unknown>): P {
  const stepped = <T extends object>(store: T): T =>
    Object.fromEntries(
      Object.entries(store).map(([name, operation]) => [
        name,
        async (...parameters: unknown[]) => {
          await step()
          return operation(...parameters)
        },
      ]),
    ) as T
  return { ...platform, objects: stepped(platform.objects), records: stepped(platform.records) }
}

/** A worker that stands still at its step number `at` until it is let go. */
function pausedWorker(platform: ScratchPlatform, at: number) {
  let reached: (isPaused: boolean) => void = () => undefined
  let letGo: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const paused = new Promise<boolean>((resolve) => {
    reached = resolve
  })
  let steps = 0
  const worker = workerOn(platform, async () => {
    if (steps++ !== at) return
    reached(true)
    await gate
  })
  const done = regenerateFeed(worker, 'town').then(() => reached(false))
  return { paused, letGo: () => letGo(), done, steps: () => steps }
}

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

async function expectNewest() {
  expect(await storedDocuments(platform, 'town')).toEqual(await freshDocuments(platform, 'town'))
}

/** The feed shows `a`; `b` came, and a worker is about to render it. */
async function aChangeToRender() {
  await storePost(platform, { id: 'a' })
  await regenerateFeed(platform, 'town')
  return storePost(platform, { id: 'b' })
}

describe('two renderings of a feed at once', () => {
  it('never leave the older documents, wherever the first one stands still', async () => {
    let at = 0
    for (let isPaused = true; isPaused; at++) {
      await platform.close()
      platform = await scratchPlatform()
      await aChangeToRender()
      const first = pausedWorker(platform, at)
      isPaused = await first.paused
      await storePost(platform, { id: 'c' })
      await regenerateFeed(
        workerOn(platform, async () => undefined),
        'town',
      )
      await expectNewest()
      first.letGo()
      await first.done
      await expectNewest()
      expect(await feedsBehind(platform)).not.toContain('town')
    }
    expect(at).toBeGreaterThan(15)
  })

  it('nor when the newer one found the very bytes it wanted, and wrote nothing', async () => {
    let at = 0
    for (let isPaused = true; isPaused; at++) {
      await platform.close()
      platform = await scratchPlatform()
      const post = await aChangeToRender()
      const first = pausedWorker(platform, at)
      isPaused = await first.paused
      await hidePost(platform, post)
      await regenerateFeed(
        workerOn(platform, async () => undefined),
        'town',
      )
      first.letGo()
      await first.done
      await expectNewest()
    }
    expect(at).toBeGreaterThan(15)
  })

  it('nor when the older one dies: the feed counts as behind until it is rendered again', async () => {
    let at = 0
    for (let isPaused = true; isPaused; at++) {
      await platform.close()
      platform = await scratchPlatform()
      const post = await aChangeToRender()
      // One that stands still for ever is dead to everybody else.
      const first = pausedWorker(platform, at)
      isPaused = await first.paused
      await hidePost(platform, post)
      await regenerateFeed(
        workerOn(platform, async () => undefined),
        'town',
      )
      platform.advance(180_000)
      for (const feed of await feedsBehind(platform)) await regenerateFeed(platform, feed)
      await expectNewest()
      expect(await feedsBehind(platform)).toEqual([])
    }
    expect(at).toBeGreaterThan(15)
  })

  it('in any order of the steps of writers and workers, some of which die', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.option(fc.nat(40)), { minLength: 3, maxLength: 3 }),
        async (scheduler, deaths) => {
          const scratch = await scratchPlatform()
          await storePost(scratch, { id: 'a' })
          await regenerateFeed(scratch, 'town')
          const alive: Promise<unknown>[] = []
          const worker = (death: number | null) => {
            let steps = 0
            const on = workerOn(scratch, () =>
              steps++ === death
                ? new Promise(() => undefined)
                : scheduler.schedule(Promise.resolve()),
            )
            const run = regenerateFeed(on, 'town')
            if (death === null) alive.push(run)
          }
          const writer = workerOn(scratch, () => scheduler.schedule(Promise.resolve()))
          const writes = async () => {
            const post = await storePost(writer, { id: 'b' })
            worker(deaths[0] ?? null)
            await hidePost(writer, post)
            worker(deaths[1] ?? null)
            await storePost(writer, { id: 'c' })
            worker(deaths[2] ?? null)
            await hidePost(writer, { ...post, id: 'c' })
            worker(null)
          }
          let isOver = false
          const all = writes().then(() => Promise.all(alive))
          all.finally(() => {
            isOver = true
          })
          while (!isOver) {
            if (scheduler.count() > 0) await scheduler.waitOne()
            // The stores' own waiting, such as for a common commit, is not the scheduler's.
            else await new Promise(setImmediate)
          }
          await all
          scratch.advance(180_000)
          for (const feed of await feedsBehind(scratch)) await regenerateFeed(scratch, feed)
          expect(await storedDocuments(scratch, 'town')).toEqual(
            await freshDocuments(scratch, 'town'),
          )
          await scratch.close()
        },
      ),
      { numRuns: 200 },
    )
  })
})
