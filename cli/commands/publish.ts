import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { works } from '../action.ts'
import { answerOf, type Connection } from '../connection.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'
import { note, plain, say, sayJson, styled } from '../output.ts'
import { bytesOf, type FoundFile, namedFile } from '../post-files.ts'

interface PublishOptions {
  root?: string
  mailAgain?: boolean
  type: string
}

interface Answer {
  id: string
  url: string
  outcome: string
  categories: string[]
  feeds: { category?: string; rss: string; atom: string; json: string }[]
  mailed: boolean
  letter?: { runId: string; at?: string; approveBy?: string }
  reason?: string
  scheduledFor?: string
}

interface Source {
  name: string
  path?: string
  contentType: string
  bytes: Uint8Array
}

const types: Record<string, string> = {
  markdown: 'text/markdown',
  html: 'text/html',
  json: 'application/json',
}

export function define(command: Command): void {
  works<PublishOptions>(
    command
      .argument('<file...>', 'Markdown, HTML or JSON files; - reads standard input')
      .option('--root <dir>', 'what paths count from: a file’s path below it is its identity')
      .option('--mail-again', 'mail an edited post once more')
      .option('--type <type>', 'of standard input: markdown, html or json', 'markdown')
      .addHelpText(
        'after',
        `
A file is known by its path below --root, else by its name: published again, it is the same post,
edited. What comes from standard input without id or URL is always a new post.

Example:
  broadsheet publish hello.md
  broadsheet publish --root site site/posts/2026/hello.md
  echo '# Hello' | broadsheet publish -`,
      ),
    async ({ connection, isJson }, options, ...words) => {
      const files = words.flat() as string[]
      const named = await Promise.all(files.map((file) => nameOf(file, options)))
      refuseDoubles(named)
      let refused = 0
      let unusable = 0
      for (const one of named) {
        const source = await sourceOf(one, options)
        if ('fault' in source) {
          unusable++
          note(source.fault)
          continue
        }
        try {
          const answer = await publish(connection, source, options)
          if (isJson) sayJson(answer)
          else sayAnswer(answer)
        } catch (error) {
          // One refused post stops no other; what would stop all of them ends the command.
          if (!isRefusal(error)) throw error
          refused++
          note(`refused  ${plain(source.name)}: ${error.message}`)
        }
      }
      if (unusable > 0) return exitCodes.usage
      return refused > 0 ? exitCodes.partial : undefined
    },
    { makesFolder: true },
  )
}

/** About this one post: what it says, its size, its type. */
function isRefusal(error: unknown): error is CliError {
  return error instanceof CliError && [400, 413, 415, 422].includes(error.status ?? 0)
}

/** A word of the command line, and the file that it names, or why that cannot be published. */
interface Named {
  word: string
  found?: FoundFile
  fault?: string
}

async function nameOf(word: string, { root, type }: PublishOptions): Promise<Named> {
  if (word === '-') {
    if (!types[type]) throw usageError('`--type` is markdown, html or json.')
    return { word }
  }
  const info = await stat(word).catch((error: NodeJS.ErrnoException) => error)
  if (info instanceof Error) {
    const fault =
      info.code === 'ENOENT' ? `There is no ${word}.` : `${word} cannot be read (${info.code}).`
    return { word, fault }
  }
  if (info.isDirectory()) {
    return { word, fault: `${word} is a folder. Name its files, or take it in: broadsheet import` }
  }
  const found = await namedFile(word, root)
  if (found.contentType) return { word, found }
  return { word, fault: `${word} is no post by its name. Posts are .md, .html or .json files.` }
}

/** The second would be taken for an edit of the first, and nobody would see that one again. */
function refuseDoubles(named: readonly Named[]): void {
  const byPath = new Map<string, Named>()
  for (const one of named) {
    if (!one.found) continue
    const { file, path } = one.found
    const other = byPath.get(path)
    if (other && other.found?.file !== file) {
      throw usageError(
        `${other.word} and ${one.word} are both known as ${path}, so the second would replace the first. Say what their paths count from: \`--root DIR\`.`,
      )
    }
    byPath.set(path, one)
  }
}

async function sourceOf(
  { word, found, fault }: Named,
  { type }: PublishOptions,
): Promise<Source | { fault: string }> {
  if (fault !== undefined) return { fault }
  if (!found) {
    const contentType = types[type] ?? ''
    return { name: 'standard input', contentType, bytes: await buffer(process.stdin) }
  }
  const bytes = await bytesOf(found)
  if (!bytes) return { fault: `${word} cannot be read. Look at its rights.` }
  return { name: word, path: found.path, contentType: found.contentType ?? '', bytes }
}

async function publish(
  connection: Connection,
  { path, contentType, bytes }: Source,
  { mailAgain }: PublishOptions,
): Promise<Answer> {
  const query = new URLSearchParams()
  if (path) query.set('path', path)
  if (mailAgain) query.set('mail', 'again')
  const search = query.size > 0 ? `?${query}` : ''
  const response = await connection.fetch(`/api/v1/posts${search}`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: Uint8Array.from(bytes),
  })
  return answerOf<Answer>(response)
}

function sayAnswer({
  id,
  url,
  outcome,
  feeds,
  mailed,
  letter,
  reason,
  scheduledFor,
}: Answer): void {
  say(`${styled('bold', scheduledFor ? 'scheduled' : outcome)}  ${id}  ${url}`)
  for (const feed of feeds) say(`  feed    ${feed.rss}`)
  if (scheduledFor) say(`  later   ${plain(reason)}`)
  else if (outcome === 'hidden') say(`  hidden  ${plain(reason)}`)
  else say(`  mail    ${mailed ? howMailed(letter) : `not mailed: ${plain(reason)}`}`)
  if (letter?.approveBy) say(`  next    broadsheet runs approve ${letter.runId}`)
}

function howMailed(letter: Answer['letter']): string {
  if (!letter) return 'with the next digests'
  const { at, approveBy } = letter
  const time = at ? `at ${at}` : 'at once'
  return `as a letter, ${time}${approveBy ? `, if it is approved until ${approveBy}` : ''}`
}
