import { parse as parseToml, TomlDate, TomlError } from 'smol-toml'
import { invalid } from '../../errors.ts'
import { isMapping, readYaml } from './yaml.ts'

export type Dialect = 'yaml' | 'toml' | 'json' | 'pelican' | 'none'

export interface FrontMatter {
  dialect: Dialect
  /** By key as written. Values are text, null, lists and mappings; TOML and JSON keep numbers and booleans. */
  values: Record<string, unknown>
  body: string
}

/** A head longer than this is no front matter but an accident or an attack. */
const headLimit = 200_000

/**
 * Splits a post into front matter and body. YAML between `---` (closed by `---` or `...`), TOML
 * between `+++`, JSON (`{` … `}` or `---json`), Pelican's `Key: value` lines, or none. A head that
 * was plainly meant as one and cannot be read is refused as `post.front-matter` with line and
 * reason, because publishing it as text would show the head to readers.
 */
export function readFrontMatter(text: string): FrontMatter {
  const start = leadingBlank(text)
  const head = text.slice(start, start + 200)
  const fence = /^(---|\+\+\+)(yaml|toml|json)?[ \t]*(?:\n|$)/.exec(head)
  if (fence) {
    const fenced = readFenced(text, start, fence)
    // Jekyll sees no front matter behind a blank line, but a mirror that writes such files meant it:
    // with nothing but known fields in the head a rule of Markdown cannot be mistaken for it.
    if (fenced && (start === 0 || looksLikeHead(fenced.values))) return fenced
    return withoutHead(text)
  }
  if (/^\{[ \t]*\n/.test(head)) return readJson(text, start) ?? withoutHead(text)
  return readPelican(text, start) ?? withoutHead(text)
}

const withoutHead = (text: string): FrontMatter => ({ dialect: 'none', values: {}, body: text })

function leadingBlank(text: string): number {
  let i = 0
  while (i < text.length && (text[i] === '\n' || text[i] === ' ' || text[i] === '\t')) i++
  // Only whole blank lines: an indented `---` is code or a rule.
  return text.lastIndexOf('\n', i - 1) + 1
}

function looksLikeHead(values: Record<string, unknown>): boolean {
  return Object.keys(values).some((key) => /^(title|date|layout|categories|tags|slug)$/i.test(key))
}

function readFenced(text: string, start: number, fence: RegExpExecArray): FrontMatter | undefined {
  const [opening, mark, named] = fence
  const from = start + opening.length
  const closing = mark === '+++' ? /^\+\+\+[ \t]*(?:\n|$)/gm : /^(?:---|\.\.\.)[ \t]*(?:\n|$)/gm
  closing.lastIndex = from
  const close = closing.exec(text)
  const dialect = (named ?? (mark === '+++' ? 'toml' : 'yaml')) as 'yaml' | 'toml' | 'json'
  if (!close) {
    // A rule at the top of a text without front matter is followed by prose.
    if (!/^[A-Za-z_][\w-]{0,40}[ \t]*[:=]/.test(text.slice(from, from + 100))) return undefined
    throw unreadable(
      1,
      `it opens with \`${mark}\` and never ends. Close it with a line \`${mark}\``,
    )
  }
  const head = text.slice(from, close.index)
  if (head.length > headLimit) throw unreadable(1, 'it is longer than 200,000 characters')
  const values = readHead(dialect, head)
  return values && { dialect, values, body: text.slice(close.index + close[0].length) }
}

function readHead(
  dialect: 'yaml' | 'toml' | 'json',
  head: string,
): Record<string, unknown> | undefined {
  if (dialect === 'json') {
    try {
      const value: unknown = JSON.parse(head)
      if (isMapping(value)) return value
    } catch (cause) {
      throw unreadable(1, `it is not JSON: ${cause instanceof Error ? cause.message : ''}`)
    }
    throw unreadable(1, 'it is not a JSON object')
  }
  if (dialect === 'toml') return readTomlHead(head)
  const outcome = readYaml(head)
  if (outcome.status === 'unreadable') throw unreadable(outcome.line + 1, outcome.reason)
  if (outcome.value === null || outcome.value === undefined) return {}
  if (isMapping(outcome.value)) return outcome.value
  // Prose between two rules, as at the top of many READMEs.
  return undefined
}

function readTomlHead(head: string): Record<string, unknown> {
  try {
    return withTextDates(parseToml(head, { integersAsBigInt: 'asNeeded' }))
  } catch (cause) {
    if (cause instanceof TomlError) {
      const reason = cause.message.split('\n')[0] ?? ''
      throw unreadable(cause.line + 1, reason.replace(/^Invalid TOML document: /, ''))
    }
    throw unreadable(1, 'it is not TOML')
  }
}

/** Dates as written, so that one reader of dates knows whether a zone was given. */
function withTextDates(table: Record<string, unknown>): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(table)) {
    values[key] =
      value instanceof TomlDate
        ? value.toISOString()
        : isMapping(value)
          ? // Dates deeper than this belong to no field that is read.
            Object.fromEntries(
              Object.entries(value).map(([k, v]) => [
                k,
                v instanceof TomlDate ? v.toISOString() : v,
              ]),
            )
          : value
  }
  return values
}

/** Hugo's JSON head: an object whose closing brace stands alone at the start of a line. */
function readJson(text: string, start: number): FrontMatter | undefined {
  const close = /^\}[ \t]*(?:\n|$)/gm
  close.lastIndex = start
  const end = close.exec(text)
  if (!end || end.index - start > headLimit) return undefined
  try {
    const value: unknown = JSON.parse(text.slice(start, end.index + 1))
    if (!isMapping(value)) return undefined
    return { dialect: 'json', values: value, body: text.slice(end.index + end[0].length) }
  } catch {
    return undefined
  }
}

const pelicanKey = /^([A-Za-z][\w-]{0,40}):[ \t]*(.*)$/

/** Lines `Key: value` up to the first blank line, a `Title` among them. */
function readPelican(text: string, start: number): FrontMatter | undefined {
  if (
    !/^(title|date|category|tags|slug|authors?|summary|lang|status|modified):/i.test(
      text.slice(start, start + 20),
    )
  )
    return undefined
  const blank = text.indexOf('\n\n', start)
  const end = blank === -1 ? text.length : blank
  if (end - start > headLimit) return undefined
  const values: Record<string, unknown> = Object.create(null)
  let last: string | undefined
  for (const line of text.slice(start, end).split('\n')) {
    const [, key, value] = pelicanKey.exec(line) ?? []
    if (key !== undefined) {
      last = key.toLowerCase()
      values[last] = value?.trim() ?? ''
    } else if (last !== undefined && /^\s{4}/.test(line)) values[last] += ` ${line.trim()}`
    else if (line.trim() !== '') return undefined
  }
  if (!('title' in values)) return undefined
  return { dialect: 'pelican', values, body: text.slice(end) }
}

function unreadable(line: number, reason: string) {
  return invalid(
    'post.front-matter',
    `The front matter cannot be read, line ${line}: ${reason}. Correct that line; a text with \`: \`, \`#\` or quotes in it stands in quotes.`,
  )
}
