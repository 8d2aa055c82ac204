import { existsSync, readdirSync } from 'node:fs'
import { cp, rename, rm, rmdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { databaseFile } from '../../functions/local/backup.ts'
import { backupNoteFile, backupNoteOf } from '../../functions/local/backup-note.ts'
import { answerOf, type Connection, liveServer, stackOf } from '../connection.ts'
import { type DueView, sayRestored } from '../due-report.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'
import { inProcess } from '../in-process.ts'
import type { GlobalOptions } from '../options.ts'
import { counted, progress, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  command
    .argument('<dir>', 'a folder that `backup` made')
    .addHelpText(
      'after',
      `
The data folder must be absent or empty, or the stack hold neither posts nor readers. Sending stays
paused afterwards, as readers may have got mails since the backup: what would go out is listed, and
\`runs resume\` or \`runs resume --from-now\` lets it go on.

With --stack posts, readers, the books and the keys of links and readers move into a deployed stack,
and its feeds and pages are rendered for its own address. Broken off, the same command goes on.

Example:
  broadsheet restore /var/backups/broadsheet-2026-03-09 --data data-restored
  broadsheet restore /var/backups/broadsheet-2026-03-09 --stack Broadsheet`,
    )
    .action(async (dir: string, _options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions>()
      const stack = stackOf(options)
      if (options.url) throw usageError('A backup is restored on its own machine: leave out --url.')
      const from = resolve(dir)
      await checkBackup(from)
      if (stack) await intoStack(from, stack, options)
      else await intoFolder(from, options)
    })
}

async function checkBackup(from: string): Promise<void> {
  for (const file of [databaseFile, 'format.json', 'secrets.json']) {
    if (!existsSync(join(from, file))) {
      throw new CliError(exitCodes.notFound, `${from} is no backup: it has no ${file}.`)
    }
  }
  if (await liveServer(from)) {
    throw new CliError(
      exitCodes.safety,
      `A server runs on ${from}. Make a backup of it and restore that: broadsheet backup NEW --data ${from}`,
    )
  }
}

async function intoFolder(from: string, options: GlobalOptions): Promise<void> {
  const to = resolve(options.data)
  checkTarget(from, to)
  const { at } = backupNoteOf(from, databaseFile)
  const due = await restoreFolder(from, to, options, at)
  if (options.json) return sayJson({ data: to, sending: 'paused', backupAt: at, due })
  say(`Restored to ${to}`)
  sayRestored(due, at, options.data === 'data' ? '' : ` --data ${options.data}`)
}

function checkTarget(from: string, to: string): void {
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
async function restoreFolder(
  from: string,
  to: string,
  options: GlobalOptions,
  at: string,
): Promise<DueView> {
  const unfinished = `${to}.restoring`
  await rm(unfinished, { recursive: true, force: true })
  await cp(from, unfinished, {
    recursive: true,
    preserveTimestamps: true,
    // The note is of the backup; a folder in use has none.
    filter: (path) => path !== join(from, backupNoteFile),
  })
  const connection = await inProcess({ ...options, data: unfinished }, { drains: false })
  let due: DueView
  try {
    await answerOf(
      await connection.fetch('/api/v1/sending/pause', {
        method: 'POST',
        body: JSON.stringify({ reason: `restored from the backup of ${at}` }),
      }),
    )
    due = await dueIn(connection)
  } finally {
    await connection.close()
  }
  if (existsSync(to)) await rmdir(to)
  await rename(unfinished, to)
  return due
}

async function intoStack(from: string, name: string, options: GlobalOptions): Promise<void> {
  const [{ openStack }, { restoreStack }, { openBackup }] = await Promise.all([
    import('../stack/on-stack.ts'),
    import('../transfer/restore-stack.ts'),
    import('../../functions/local/open-backup.ts'),
  ])
  const backup = openBackup(from)
  try {
    const open = await openStack(options, name)
    const line = progress()
    const restored = await restoreStack(open, backup, line.show).finally(line.done)
    const due = await dueIn(open.connection)
    const { at } = backup.note
    if (options.json) {
      return sayJson({ stack: name, sending: 'paused', backupAt: at, ...restored, due })
    }
    const { records, objects, isContinued } = restored
    say(
      `Restored to the stack ${name}: ${counted(records, 'record')}, ${counted(objects, 'object')}${isContinued ? ', going on where it was broken off' : ''}`,
    )
    say('Its feeds and pages are being rendered. API keys stay its own.')
    sayRestored(due, at, ` --stack ${name}`)
  } finally {
    backup.close()
  }
}

async function dueIn(connection: Connection): Promise<DueView> {
  return answerOf<DueView>(await connection.fetch('/api/v1/sending/due'))
}
