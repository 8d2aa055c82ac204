import { afterEach, expect, it } from 'vitest'
import { runJob } from '../../functions/jobs.ts'
import { objectKeys, recordKeys, urlPaths } from '../../functions/keys.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { tick } from '../../functions/tick.ts'
import { publishArticle } from '../digests/newsroom.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const loseJobs = async () => {
  for (const { receipt } of await platform.jobs.receive('urgent', {
    limit: 10,
    leaseSeconds: 60,
  })) {
    await platform.jobs.complete(receipt)
  }
}
const page = async () =>
  Buffer.from(
    (await platform.objects.get(objectKeys.page(urlPaths.post('a'))))?.body ?? '',
  ).toString()
const due = async () => (await platform.records.query(recordKeys.pagesDue)).records.length
const tickAfter = async (ms: number) => {
  platform.advance(ms)
  await tick(platform)
  await platform.settle()
}

it('the page of an edited or withdrawn post follows within minutes although its job was lost', async () => {
  platform = await scratchPlatform()
  const id = await publishArticle(platform, { id: 'a', title: 'A', content: 'First words.' })
  await platform.settle()
  expect(await due()).toBe(0)

  await publishArticle(platform, { id: 'a', title: 'A', content: 'Second words.' })
  await loseJobs()
  await tickAfter(60_000)
  expect(await page()).toContain('First words.')
  await tickAfter(60_000)
  expect(await page()).toContain('Second words.')
  expect(await due()).toBe(0)

  await withdrawPost(platform, id)
  await loseJobs()
  await tickAfter(120_000)
  expect(await page()).toBe('')
  expect(await due()).toBe(0)
})

it('a page job that a change overtakes leaves the page due', async () => {
  platform = await scratchPlatform()
  const id = await publishArticle(platform, { id: 'a', title: 'A' })
  await loseJobs()
  const { put } = platform.objects
  let isOvertaken = false
  const objects: ScratchPlatform['objects'] = {
    ...platform.objects,
    put: async (key, body, options) => {
      const outcome = await put(key, body, options)
      if (!isOvertaken && key === objectKeys.page(urlPaths.post('a'))) {
        isOvertaken = true
        await publishArticle(platform, { id: 'a', title: 'A', content: 'Later words.' })
      }
      return outcome
    },
  }
  await runJob({ ...platform, objects }, { kind: 'post-pages', postIds: [id] })
  expect(await due()).toBe(1)
  await platform.settle()
  expect(await page()).toContain('Later words.')
  expect(await due()).toBe(0)
})
