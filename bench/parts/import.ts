import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import MarkdownIt from 'markdown-it'
import { type Part, peakMegabytes, timed } from '../figure.ts'
import { samplePost } from '../sample-posts.ts'
import { openService } from '../service.ts'

/** An archive comes in: posts a second, with all feeds and pages, and the memory that it takes. */
export const importPart: Part = async ({ posts }) => {
  const service = await openService()
  const ms = await timed(() => service.importPosts(0, posts))
  const peak = peakMegabytes()
  await service.close()
  const bare = await timed(() => bareSite(posts))
  const perSecond = (posts / ms) * 1000
  const barePerSecond = (posts / bare) * 1000
  return [
    {
      name: `posts imported a second (${posts.toLocaleString('en')})`,
      value: perSecond,
      unit: 'posts/s',
      baseline: {
        name: 'markdown-it and one HTML file a post, nothing else',
        value: barePerSecond,
      },
      ratio: perSecond / barePerSecond,
    },
    { name: 'peak memory of it', value: peak, unit: 'MB', aim: '≤ 400 MB with 17,000 posts' },
  ]
}

/** What the cheapest of all site generators would do: render each post, write one file. */
function bareSite(posts: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bare-'))
  const markdown = new MarkdownIt({ html: true })
  for (let n = 0; n < posts; n++) {
    const { path, source } = samplePost(n)
    const file = join(folder, path.replace(/\.md$/, '/index.html'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `<!doctype html>${markdown.render(source.split('---\n')[2] ?? '')}`)
  }
  rmSync(folder, { recursive: true, force: true })
}
