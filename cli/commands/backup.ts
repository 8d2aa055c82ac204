import { resolve } from 'node:path'
import type { Command } from 'commander'
import { works } from '../action.ts'
import { counted, note, say, sayJson } from '../output.ts'

export function define(command: Command): void {
  works(
    command.argument('<dir>', 'an empty or new folder').addHelpText(
      'after',
      `
The copy holds everything: posts, readers, the books, the secrets. Keep it where only you can read it.
Beside a running server the copy is as of one instant.

Example:
  broadsheet backup /var/backups/broadsheet-$(date +%F)
  broadsheet restore /var/backups/broadsheet-2026-03-09 --data data-restored`,
    ),
    async ({ call, isJson }, _options, dir = '') => {
      const folder = resolve(dir)
      const copied = await call<{ files: number; bytes: number }>('POST', '/api/v1/backup', {
        folder,
      })
      if (isJson) return sayJson({ folder, ...copied })
      say(`${counted(copied.files, 'file')}, ${counted(copied.bytes, 'byte')} in ${folder}`)
      note('It holds the secrets and the readers: keep it where only you can read it.')
    },
  )
}
