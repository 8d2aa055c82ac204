import type { Command } from 'commander'
import { pages, works } from '../action.ts'
import { countOf } from '../count.ts'
import { counted, note, plain, say, sayJson, table } from '../output.ts'

interface Item {
  id: string
  title: string
  published: string
  categories: string[]
  state?: string
  url: string
}

export function define(command: Command): void {
  works<{ category?: string; limit?: string }>(
    command
      .option('--category <slug>', 'only those of this category')
      .option('--limit <n>', 'at most so many, newest first', '50')
      .addHelpText(
        'after',
        `
Example:
  broadsheet posts --category printing
  broadsheet posts --json --limit 100000 | jq -r .url`,
      ),
    async (session, { category, limit = '50' }) => {
      const most = countOf(limit, '--limit')
      const query = category ? `?category=${encodeURIComponent(category)}` : ''
      const rows: Item[] = []
      let shown = 0
      let isMore = false
      for await (const post of pages<Item>(session, `/api/v1/posts${query}`)) {
        if (shown === most) {
          isMore = true
          break
        }
        shown++
        if (session.isJson) sayJson(post)
        else rows.push(post)
      }
      if (session.isJson) return
      if (rows.length === 0) return note('No posts yet. Publish one: broadsheet publish hello.md')
      say(
        table(
          ['ID', 'PUBLISHED', 'CATEGORIES', 'TITLE'],
          rows.map((post) => [
            post.id,
            post.published.slice(0, 16).replace('T', ' '),
            post.categories.join(', ') || '–',
            plain(post.title) + (post.state && post.state !== 'visible' ? ` (${post.state})` : ''),
          ]),
        ),
      )
      if (isMore) note(`The newest ${counted(shown, 'post')}; --limit shows more.`)
    },
  )
}
