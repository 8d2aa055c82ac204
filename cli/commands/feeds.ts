import type { Command } from 'commander'
import { works } from '../action.ts'
import { counted, plain, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  command.addHelpText('after', '\nExample:\n  broadsheet feeds rebuild')
  works(
    command
      .command('rebuild')
      .argument('[category...]', 'slugs; without any, every feed')
      .description('Render feeds and pages again from the stored posts.')
      .addHelpText(
        'after',
        `
Nothing changes for readers unless something was broken or the configuration is new.

Example:
  broadsheet feeds rebuild
  broadsheet feeds rebuild printing reading`,
      ),
    async ({ call, isJson }, _options, ...words) => {
      const categories = words.flat() as string[]
      const answer = await call<{ feeds: { category?: string }[] }>(
        'POST',
        '/api/v1/feeds/rebuild',
        categories.length > 0 ? { categories } : {},
      )
      if (isJson) return sayJson(answer)
      const names = answer.feeds.slice(0, 20).map(({ category }) => category ?? 'everything')
      say(`Rendered again: ${counted(answer.feeds.length, 'feed')} (${plain(names.join(', '))})`)
    },
  )
}
