import type { Command } from 'commander'
import { pages, works } from '../action.ts'
import { note, say, sayJson, table } from '../output.ts'

interface Item {
  slug: string
  title: string
  posts: number
}

export function define(command: Command): void {
  works(
    command.addHelpText(
      'after',
      `
A category appears with its first post. Names and rules stand in broadsheet.yaml.

Example:
  broadsheet categories`,
    ),
    async (session) => {
      const items = await Array.fromAsync(pages<Item>(session, '/api/v1/categories'))
      if (session.isJson) return items.forEach(sayJson)
      if (items.length === 0) return note('No categories yet: the first post with one makes it.')
      say(
        table(
          ['CATEGORY', 'POSTS', 'NAME'],
          items.map(({ slug, posts, title }) => [slug, posts, title]),
        ),
      )
    },
  )
}
