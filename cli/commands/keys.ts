import type { Command } from 'commander'
import { type Scope, scopes } from '../../functions/api/api-key-scopes.ts'
import { works } from '../action.ts'
import { usageError } from '../exit.ts'
import { counted, note, say, sayJson, table } from '../output.ts'

interface Key {
  name: string
  scopes: Scope[]
  createdAt: string
}

export function define(command: Command): void {
  works(
    command.addHelpText(
      'after',
      `
Without a subcommand the keys are listed, never the keys' text: that is shown once, when made.

Example:
  broadsheet keys create deploy-hook --scope posts:write
  broadsheet keys revoke deploy-hook`,
    ),
    async ({ call, isJson }) => {
      const { items } = await call<{ items: Key[] }>('GET', '/api/v1/keys')
      if (isJson) return items.forEach(sayJson)
      say(
        table(
          ['NAME', 'MADE', 'MAY'],
          items.map((key) => [
            key.name,
            key.createdAt.slice(0, 10),
            key.scopes.length === scopes.length ? 'everything' : key.scopes.join(', '),
          ]),
        ),
      )
    },
  )

  works<{ scope?: string[] }>(
    command
      .command('create')
      .argument('<name>', 'what the key is for')
      .option('--scope <scope...>', `what it may do: ${scopes.join(', ')} (default: everything)`)
      .description('Make an API key and show it, this once.')
      .addHelpText('after', '\nExample:\n  broadsheet keys create deploy-hook --scope posts:write'),
    async ({ call, isJson }, options, name = '') => {
      const wanted = options.scope?.flatMap((scope) => scope.split(','))
      const unknown = wanted?.find((scope) => !scopes.includes(scope as Scope))
      if (unknown) {
        throw usageError(`There is no scope \`${unknown}\`. Known are: ${scopes.join(', ')}.`)
      }
      const made = await call<Key & { key: string }>('POST', '/api/v1/keys', {
        name,
        ...(wanted ? { scopes: wanted } : {}),
      })
      if (isJson) return sayJson({ name: made.name, key: made.key, scopes: made.scopes })
      say(made.key)
      note(`This is the key \`${made.name}\`. Keep it now: it is not shown again.`)
    },
    { makesFolder: true },
  )

  works(
    command
      .command('revoke')
      .argument('<name>', 'as `keys` lists it')
      .description('Revoke an API key at once.')
      .addHelpText('after', '\nExample:\n  broadsheet keys revoke deploy-hook'),
    async ({ call, isJson }, _options, name = '') => {
      await call('DELETE', `/api/v1/keys/${encodeURIComponent(name)}`)
      if (isJson) sayJson({ name, revoked: true })
      else say(`Revoked: ${name}`)
    },
  )

  works(
    command
      .command('rotate-links')
      .description('Sign the links in mails with a new key from now on; old links still work.')
      .addHelpText('after', '\nExample:\n  broadsheet keys rotate-links'),
    async ({ call, isJson }) => {
      const answer = await call<{ keys: number }>('POST', '/api/v1/links/rotate')
      if (isJson) sayJson(answer)
      else say(`Links are signed with a new key; ${counted(answer.keys, 'key')} verify them.`)
    },
  )
}
