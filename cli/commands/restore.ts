import { existsSync, readdirSync } from 'node:fs'
import { cp, rename, rm, rmdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { answerOf, stackOf } from '../connection.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'
import { inProcess } from '../in-process.ts'
import type { GlobalOptions } from '../options.ts'
import { note, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  command
    .argument('<dir>', 'a folder that `backup` made')
    .addHelpText(
      'after',
      `
The data folder must be absent or empty. Sending stays paused afterwards, as readers may have got
mails since the backup: look at \`runs\`, then let it go on with \`runs resume\`.

Example:
  broadsheet restore /var/backups/broadsheet-2026-03-09 --data data-restored`,
    )
    .action(async (dir: string, _options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions>()
      if (options.url) throw usageError('A backup is restored on its own machine: leave out --url.')
      if (stackOf(options)) {
        throw usageError(
          'A backup cannot be restored into a stack yet: leave out --stack, unset BROADSHEET_STACK.',
        )
      }
      const from = resolve(dir)
      const to = resolve(options.data)
      check(from, to)
      await restore(from, to, options)
      if (options.json) sayJson({ data: to, sending: 'paused' })
      else {
        say(`Restored to ${to}`)
        note('Sending is paused. Look at `broadsheet runs`, then: broadsheet runs resume')
      }
    })
}

function check(from: string, to: string): void {
  for (const file of ['broadsheet.sqlite', 'format.json', 'secrets.json']) {
    if (!existsSync(join(from, file))) {
      throw new CliError(exitCodes.notFound, `${from} is no backup: it has no ${file}.`)
    }
  }
  if (!relative(from, to).startsWith('..') || !relative(to, from).startsWith('..')) {
    throw usageError('Backup and data folder must lie beside each other, not inside.')
  }
  if (existsSync(to) && readdirSync(to).length > 0) {
    throw new CliError(
      exitCodes.safety,
      `${to} is not empty, and what is in it is never overwritten. Move it away first, or name another folder with --data.`,
    )
  }
}

/** Everything happens beside the data folder; it appears whole, with sending paused, or not at all. */
async function restore(from: string, to: string, options: GlobalOptions): Promise<void> {
  const unfinished = `${to}.restoring`
  await rm(unfinished, { recursive: true, force: true })
  await cp(from, unfinished, { recursive: true, preserveTimestamps: true })
  const connection = await inProcess({ ...options, data: unfinished }, { drains: false })
  try {
    await answerOf(
      await connection.fetch('/api/v1/sending/pause', {
        method: 'POST',
        body: JSON.stringify({ reason: 'restored from a backup' }),
      }),
    )
  } finally {
    await connection.close()
  }
  if (existsSync(to)) await rmdir(to)
  await rename(unfinished, to)
}
