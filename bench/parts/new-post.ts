import { type Figure, median, type Part, timed } from '../figure.ts'
import { samplePost } from '../sample-posts.ts'
import { openService } from '../service.ts'

const measured = 25

/** One new post through the API, feeds and pages written, with ever more posts stored before it. */
export const newPostPart: Part = async ({ sizes }) => {
  const service = await openService()
  const figures: Figure[] = []
  let stored = 0
  let smallest: number | undefined
  for (const size of [...sizes].sort((a, b) => a - b)) {
    await service.importPosts(stored, size)
    stored = size
    // A first one pays for what is loaded only once.
    const times: number[] = []
    for (let i = -3; i < measured; i++) {
      const { source } = samplePost(10_000_000 + size * 100 + i)
      const now = source.replace(/^date: .*$/m, `date: ${new Date().toISOString()}`)
      const ms = await timed(async () => {
        const response = await service.api('POST', '/api/v1/posts', now, 'text/markdown')
        if (response.status !== 201) throw new Error(await response.text())
      })
      if (i >= 0) times.push(ms)
    }
    const value = median(times)
    smallest ??= value
    figures.push({
      name: `one new post with ${size.toLocaleString('en')} stored`,
      value,
      unit: 'ms',
      baseline: { name: `with ${sizes[0]?.toLocaleString('en')} stored`, value: smallest },
      ratio: value / smallest,
      ...(size === 100_000 ? { aim: 'ratio ≤ 1.2' } : {}),
    })
  }
  await service.close()
  return figures
}
