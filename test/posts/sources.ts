import type { PostOutcome, PublishOutcome } from '../../functions/posts/publish.ts'
import type { PostSource } from '../../functions/posts/source/parse-post.ts'

/** A Markdown post with front matter; `path` makes it known again. */
export function markdown(
  front: Record<string, unknown>,
  { body = 'Two words.', path }: { body?: string; path?: string } = {},
): PostSource {
  const lines = Object.entries(front).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  const text = `---\n${lines.join('\n')}\n---\n\n${body}\n`
  const bytes = new TextEncoder().encode(text)
  return { bytes, contentType: 'text/markdown', ...(path === undefined ? {} : { path }) }
}

/** The outcome of what must have been stored. */
export function stored(outcome: PublishOutcome | undefined): PostOutcome {
  if (!outcome || outcome.status === 'refused' || outcome.status === 'ignored') {
    throw new Error(`not stored: ${JSON.stringify(outcome)}`)
  }
  return outcome
}
