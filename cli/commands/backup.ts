import { resolve } from 'node:path'
import type { Command } from 'commander'
import { answerOf, connect, stackOf } from '../connection.ts'
import type { GlobalOptions } from '../options.ts'
import { counted, note, progress, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  command
    .argument('<dir>', 'an empty or new folder')
    .addHelpText(
      'after',
      `
The copy holds posts, readers, the books and the secrets. Keep it where only you can read it.
Beside a running server the copy is as of one instant.

With --stack the copy of a deployed stack is a data folder, too: \`restore\` takes it, and so does
\`start --data\`, with sending paused. Pause sending there first (\`runs pause\`) if you are moving.

Example:
  broadsheet backup /var/backups/broadsheet-$(date +%F)
  broadsheet restore /var/backups/broadsheet-2026-03-09 --data data-restored
  broadsheet backup /var/backups/broadsheet-stack --stack Broadsheet`,
    )
    .action(async (dir: string, _options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions>()
      const stack = stackOf(options)
      const folder = resolve(dir)
      if (stack) await fromStack(options, stack, folder)
      else await fromFolder(options, folder)
      if (!options.json) {
        note('It holds the secrets and the readers: keep it where only you can read it.')
      }
    })
}

async function fromFolder(options: GlobalOptions, folder: string): Promise<void> {
  const connection = await connect(options)
  try {
    const body = JSON.stringify({ folder })
    const headers = { 'content-type': 'application/json' }
    const copied = await answerOf<{ files: number; bytes: number }>(
      await connection.fetch('/api/v1/backup', { method: 'POST', headers, body }),
    )
    if (options.json) return sayJson({ folder, ...copied })
    say(`${counted(copied.files, 'file')}, ${counted(copied.bytes, 'byte')} in ${folder}`)
  } finally {
    await connection.close()
  }
}

async function fromStack(options: GlobalOptions, name: string, folder: string): Promise<void> {
  const [{ openStack }, { backupStack }] = await Promise.all([
    import('../stack/on-stack.ts'),
    import('../transfer/backup-stack.ts'),
  ])
  const line = progress()
  const open = await openStack(options, name)
  const copied = await backupStack(open, folder, line.show).finally(line.done)
  if (options.json) return sayJson({ folder, ...copied })
  const { records, objects, bytes, sending, at } = copied
  say(
    `${counted(records, 'record')}, ${counted(objects, 'object')} with ${counted(bytes, 'byte')} in ${folder}`,
  )
  if (sending.length > 0) {
    note(
      `Runs were open meanwhile (${sending.join(', ')}): of what they mail from ${at} on the copy knows little or nothing. If you are moving, pause sending and make it again.`,
    )
  }
}
