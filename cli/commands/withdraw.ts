import type { Command } from 'commander'
import { works } from '../action.ts'
import { plain, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  works(
    command.argument('<id>', 'the post’s id, as `posts` lists it').addHelpText(
      'after',
      `
The post leaves feeds, pages and digests that are still to come; its address answers 410.

Example:
  broadsheet withdraw 9f2c41d07ab35e68`,
    ),
    async ({ call, isJson }, _options, id = '') => {
      const answer = await call('DELETE', `/api/v1/posts/${encodeURIComponent(id)}`)
      if (isJson) sayJson(answer ?? { id, outcome: 'withdrawn' })
      else say(`Withdrawn: ${plain(id)}`)
    },
  )
}
