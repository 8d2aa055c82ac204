import { expect, it, onTestFinished } from 'vitest'
import { openListing } from '../../../functions/digests/editions/listing.ts'
import { scratchPlatform } from '../../support/scratch-platform.ts'
import { publishArticle } from '../newsroom.ts'

it('lists each post once, however many readers ask at the same moment and from where', async () => {
  const platform = await scratchPlatform()
  onTestFinished(() => platform.close())
  for (const title of ['One', 'Two', 'Three', 'Four']) await publishArticle(platform, { title })

  const listing = openListing(platform, 4)
  const answers = await Promise.all([3, 1, 0, 2, 0, 3, 0].map((after) => listing.above(after)))
  const numbers = answers.map((posts) => posts.map(({ n }) => n))
  expect(numbers.at(-1)).toEqual([1, 2, 3, 4])
  for (const some of numbers) expect(new Set(some).size).toBe(some.length)
})
