import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { feedsBehind, regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { documentVersion } from '../../functions/feeds/write-versioned.ts'
import type { ObjectStore, Platform } from '../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { freshDocuments, hidePost, storedDocuments, storePost } from './stored-posts.ts'

/** The platform of another worker: the same stores, each operation between `step` and `ended`. */
function workerOn<P extends Platform>(
  platform: P,
  step: (operation: string) => Promise<unknown>,
  ended: () => void = () => {},
): P {
  const stepped = <T extends object>(store: T): T =>
    Object.fromEntries(
      Object.entries(store).map(([name, operation]) => [
        name,
        async (...parameters: unknown[]) => {
          await step(`${name} ${JSON.stringify(parameters[0])}`)
          return operation(...parameters).finally(ended)
        },
      ]),
    ) as T
  return { ...platform, objects: stepped(platform.objects), records: stepped(platform.records) }
}

/** A worker that renders `town` and stands still before each of its steps until it is let go on. */
function steppedWorker(platform: ScratchPlatform) {
  let taken = 0
  let allowed = 0
  let running = 0
  let waiting = 0
  let isDone = false
  let barrier: RegExp | undefined
  let wake: (() => void)[] = []
  const turn = () => new Promise<void>((resolve) => wake.push(resolve))
  const notify = () => {
    const woken = wake
    wake = []
    for (const resolve of woken) resolve()
  }
  const step = async (operation: string) => {
    waiting++
    notify()
    for (;;) {
      if (barrier?.test(operation)) {
        barrier = undefined
        allowed = taken
        notify()
      }
      if (taken < allowed) break
      await turn()
    }
    waiting--
    taken++
    running++
  }
  const worker = workerOn(platform, step, () => {
    running--
    notify()
  })
  const run = regenerateFeed(worker, 'town').finally(() => {
    isDone = true
    notify()
  })
  return {
    /** Lets it take so many steps in all, and returns whether it was done before. */
    async goTo(steps: number): Promise<boolean> {
      allowed = Math.max(allowed, steps)
      notify()
      // It rests when its steps are over and it asks for the next one.
      while (!isDone && (taken < allowed || running > 0 || waiting === 0)) await turn()
      return isDone
    },
    /** Lets it go on until its next step is such a one. */
    async goBefore(operation: RegExp) {
      barrier = operation
      allowed = Number.POSITIVE_INFINITY
      notify()
      while (!isDone && barrier) await turn()
      if (isDone) throw new Error('it is done')
    },
    async finish() {
      await this.goTo(Number.POSITIVE_INFINITY)
      await run
    },
  }
}

/** Tells when a document of an earlier count takes the place of one of a later. */
function watchedPlatform(scratch: ScratchPlatform): ScratchPlatform & { reverted: string[] } {
  const reverted: string[] = []
  const put: ObjectStore['put'] = async (key, body, options) => {
    const before = await scratch.objects.get(key)
    const outcome = await scratch.objects.put(key, body, options)
    const count = Number(options.version?.split(' ')[0])
    const was = before && documentVersion(before)
    if (outcome.status === 'stored' && was && was.count > count) reverted.push(key)
    return outcome
  }
  return { ...scratch, objects: { ...scratch.objects, put }, reverted }
}

let platform: ReturnType<typeof watchedPlatform>
async function open() {
  platform = watchedPlatform(await scratchPlatform())
}
async function again() {
  await platform.close()
  await open()
}
beforeEach(open)
afterEach(() => platform.close())

async function expectNewest() {
  expect(await storedDocuments(platform, 'town')).toEqual(await freshDocuments(platform, 'town'))
}

/** The feed shows `a`; `b` came, and is not rendered yet. */
async function aChangeToRender() {
  await storePost(platform, { id: 'a' })
  await regenerateFeed(platform, 'town')
  return storePost(platform, { id: 'b' })
}

async function renderWhatIsBehind() {
  platform.advance(180_000)
  for (const feed of await feedsBehind(platform)) await regenerateFeed(platform, feed)
}

const ever = () => workerOn(platform, async () => undefined)

// Hundreds of small platforms each: slow on a machine that is busy with something else.
describe('two renderings of a feed at once', { timeout: 90_000 }, () => {
  it('never replace newer documents by older ones, wherever the first stands still', async () => {
    let at = 0
    for (let isDone = false; !isDone; at++) {
      await again()
      await aChangeToRender()
      const first = steppedWorker(platform)
      isDone = await first.goTo(at)
      await storePost(platform, { id: 'c' })
      await regenerateFeed(ever(), 'town')
      await expectNewest()
      await first.finish()
      await expectNewest()
      expect(platform.reverted).toEqual([])
      expect(await feedsBehind(platform)).not.toContain('town')
    }
    expect(at).toBeGreaterThan(15)
  })

  it('leave the newest documents when the newer one found its very bytes and wrote nothing', async () => {
    let at = 0
    for (let isDone = false; !isDone; at++) {
      await again()
      const post = await aChangeToRender()
      const first = steppedWorker(platform)
      isDone = await first.goTo(at)
      await hidePost(platform, post)
      await regenerateFeed(ever(), 'town')
      await first.finish()
      await expectNewest()
    }
    expect(at).toBeGreaterThan(15)
  })

  it('leave them to be rendered again when the older one dies after it wrote', async () => {
    for (let at = 0; at < 30; at += 3) {
      for (let death = at + 1; death < 30; death += 3) {
        await again()
        const post = await aChangeToRender()
        const first = steppedWorker(platform)
        await first.goTo(at)
        await hidePost(platform, post)
        await regenerateFeed(ever(), 'town')
        await first.goTo(death)
        await renderWhatIsBehind()
        await expectNewest()
        expect(await feedsBehind(platform)).toEqual([])
      }
    }
  })

  it('leave them so when the older one ends and dies before the newer one ends', async () => {
    const post = await aChangeToRender()
    const first = steppedWorker(platform)
    await first.goBefore(/^put "public\/feeds\/town\/rss/)
    await hidePost(platform, post)
    const second = steppedWorker(platform)
    await second.goBefore(/^get "public\/feeds\/town\/feed.json/)
    await second.goBefore(/^put {"partition":"feeds-rendered"/)
    await first.goBefore(/^get {"partition":"feeds-dirty"/)
    await second.finish()
    await renderWhatIsBehind()
    await expectNewest()
  })

  it('leave them so wherever both stand still and one dies', async () => {
    const step = fc.nat(32)
    await fc.assert(
      fc.asyncProperty(step, step, step, fc.boolean(), async (at, other, death, both) => {
        await again()
        const post = await aChangeToRender()
        const first = steppedWorker(platform)
        await first.goTo(at)
        await hidePost(platform, post)
        const second = steppedWorker(platform)
        await second.goTo(other)
        await first.goTo(death)
        if (!both) await second.finish()
        await renderWhatIsBehind()
        await expectNewest()
      }),
      { numRuns: 50, endOnFailure: true },
    )
  })

  it('leave them so in any order of the steps of writers and workers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        await again()
        await storePost(platform, { id: 'a' })
        await regenerateFeed(platform, 'town')
        const step = () => scheduler.schedule(Promise.resolve())
        const workers: Promise<void>[] = []
        const render = () => workers.push(regenerateFeed(workerOn(platform, step), 'town'))
        const writer = workerOn(platform, step)
        let isOver = false
        const all = (async () => {
          const b = await storePost(writer, { id: 'b' })
          render()
          await hidePost(writer, b)
          render()
          const c = await storePost(writer, { id: 'c' })
          render()
          await hidePost(writer, c)
          render()
          await Promise.all(workers)
        })().finally(() => {
          isOver = true
        })
        while (!isOver) {
          if (scheduler.count() > 0) await scheduler.waitOne()
          // The stores' own waiting, such as for a common commit, is not the scheduler's.
          else await new Promise(setImmediate)
        }
        await all
        await expectNewest()
        expect(await feedsBehind(platform)).not.toContain('town')
      }),
      { numRuns: 60, endOnFailure: true },
    )
  })
})
