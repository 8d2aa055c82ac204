import { once } from 'node:events'
import { createWriteStream, existsSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { works } from '../action.ts'
import { exitCodes, usageError } from '../exit.ts'
import { importFiles, importLines, type Outcome } from '../import-stream.ts'
import { counted, note, plain, progress, say, sayJson } from '../output.ts'
import { postFiles } from '../post-files.ts'

interface ImportOptions {
  root?: string
  dryRun?: boolean
  identity?: string
  mail?: boolean
  report?: string
}

const order = ['published', 'updated', 'unchanged', 'hidden', 'ignored', 'refused'] as const

export function define(command: Command): void {
  works<ImportOptions>(
    command
      .argument('<path...>', 'folders, files, or a file of NDJSON (.ndjson, .jsonl)')
      .option('--root <dir>', 'what the paths of posts count from (default: each folder named)')
      .option('--dry-run', 'say what would become of each file; change nothing')
      .option('--identity <way>', 'what makes a file the same post: path or name')
      .option('--mail', 'mail the posts, as if they were published now')
      .option('--report <file>', 'write one JSON line for every file')
      .addHelpText(
        'after',
        `
Takes the posts of Jekyll, Hugo, Zola, Eleventy, Pelican and Docusaurus. A file's path below the root is
its identity: repeat the import after edits, nothing is doubled. Nobody is mailed unless asked.
Folders whose name begins with a dot, node_modules and data folders are not looked into; links are not
followed.
Ends with 3 when files were refused: each is named with its reason.

Example:
  broadsheet import ../blog/_posts --dry-run
  broadsheet import ../blog/_posts --report import.ndjson`,
      ),
    async ({ connection, isJson }, options, ...words) => {
      const paths = words.flat() as string[]
      if (options.identity && !['path', 'name'].includes(options.identity)) {
        throw usageError('`--identity` is `path` or `name`.')
      }
      const outcomes = source(paths, options, connection)
      const report = options.report ? reportFile(options.report) : undefined
      const bar = progress()
      const counts = new Map<Outcome['outcome'], number>()
      let seen = 0
      try {
        for await (const outcome of outcomes) {
          seen++
          counts.set(outcome.outcome, (counts.get(outcome.outcome) ?? 0) + 1)
          await report?.write(outcome)
          if (isJson) sayJson(outcome)
          if (outcome.outcome === 'refused') {
            bar.done()
            note(`refused  ${plain(outcome.path)}: ${plain(outcome.reason)}`)
          }
          bar.show(`${counted(seen, 'file')} …`)
        }
      } finally {
        bar.done()
        await report?.end()
      }
      if (!isJson) {
        const parts = order.filter((name) => counts.has(name))
        const summary = parts.map((name) => `${counts.get(name)?.toLocaleString('en')} ${name}`)
        const would = options.dryRun ? 'Nothing was changed. It would be: ' : ''
        say(`${would}${summary.join(' · ') || 'no files'} (${counted(seen, 'file')})`)
      }
      return counts.has('refused') ? exitCodes.partial : undefined
    },
    { makesFolder: true },
  )
}

async function* source(
  paths: readonly string[],
  options: ImportOptions,
  connection: Parameters<typeof importFiles>[0],
): AsyncGenerator<Outcome> {
  const query = queryOf(options)
  const isLines = (path: string) => /\.(ndjson|jsonl)$/i.test(path) && isFile(path)
  const folders = paths.filter((path) => !isLines(path))
  for (const path of folders) if (!existsSync(path)) throw usageError(`There is no ${path}.`)
  if (folders.length > 0) {
    yield* importFiles(connection, postFiles(folders, options.root), query)
  }
  for (const path of paths.filter(isLines)) yield* importLines(connection, path, query)
}

function queryOf({ dryRun, mail, identity }: ImportOptions): string {
  const query = new URLSearchParams()
  if (dryRun) query.set('dryRun', 'true')
  if (mail) query.set('mail', 'true')
  if (identity) query.set('identity', identity)
  return query.size > 0 ? `?${query}` : ''
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function reportFile(path: string) {
  const file = createWriteStream(path)
  const opened = once(file, 'open').catch((cause: NodeJS.ErrnoException) => {
    throw usageError(`The report ${path} cannot be written (${cause.code}).`)
  })
  return {
    async write(outcome: Outcome): Promise<void> {
      await opened
      if (!file.write(`${JSON.stringify(outcome)}\n`)) await once(file, 'drain')
    },
    async end(): Promise<void> {
      file.end()
      if (!file.closed) await once(file, 'close')
    },
  }
}
