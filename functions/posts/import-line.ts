import * as v from 'valibot'
import type { ErrorCode } from '../error-codes.ts'
import { faultInWords } from '../schema-fault.ts'
import { contentTypeOf, contentTypes, noPostByName } from './source/content-type.ts'
import type { PostSource } from './source/parse-post.ts'

/** A line of an import: a file (`path` with `source` or `sourceBase64`), or a post as in the API. */
export type ImportLine =
  | { status: 'source'; name: string; source: PostSource }
  /** A file that is none of ours, or a line that cannot be used. */
  | { status: 'ignored'; name: string; code: ErrorCode; reason: string }
  | { status: 'refused'; name: string; code: ErrorCode; reason: string }

const fileLine = v.object({
  path: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
  source: v.optional(v.string()),
  sourceBase64: v.optional(v.string()),
  contentType: v.optional(v.picklist(contentTypes)),
})

/** A path below a root that names no place outside it; the message says what is wrong, or nothing. */
export function pathFault(path: string): string | undefined {
  if (Buffer.byteLength(path) > 900) return 'is longer than 900 bytes'
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character'
  if (!path.isWellFormed()) return 'is not well-formed Unicode'
  if (path === '' || /^[/\\]|^[a-z]:[/\\]/i.test(path)) return 'is not below a root'
  return path.split(/[/\\]/).includes('..') ? 'leads out of its root by `..`' : undefined
}

/**
 * Reads one line of NDJSON; `number` counts from 1 and names lines without a path. Never throws:
 * what cannot be used is refused by name, and the import goes on.
 */
export function readImportLine(text: string, number: number): ImportLine {
  const unnamed = `line ${number}`
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return refused(
      unnamed,
      'import.line',
      'The line is not JSON. Send one JSON document a line, UTF-8.',
    )
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    return refused(unnamed, 'import.line', 'The line is JSON but no object.')
  }
  const path = 'path' in json ? json.path : undefined
  const name = typeof path === 'string' && path !== '' ? path.slice(0, 1000) : unnamed
  if (path !== undefined && typeof path !== 'string') {
    return refused(unnamed, 'import.line', 'The member `path` is no string.')
  }
  const fault = path === undefined ? undefined : pathFault(path)
  if (fault)
    return refused(name, 'post.path', `The path ${fault}. Give the path below the folder of posts.`)
  if ('source' in json || 'sourceBase64' in json) return readFile(json, name)
  if (path !== undefined && !('title' in json) && !('content' in json)) {
    return contentTypeOf(path) === undefined
      ? notAPost(name)
      : refused(
          name,
          'import.line',
          'The line has a path but neither `source`, `sourceBase64` nor a post.',
        )
  }
  const { path: _, ...post } = json as Record<string, unknown>
  let bytes: Uint8Array
  try {
    bytes = new TextEncoder().encode(JSON.stringify(post))
  } catch (error) {
    // What JSON reads without recursion it writes with it.
    if (!(error instanceof RangeError)) throw error
    return refused(name, 'import.line', 'The line is nested too deeply.')
  }
  return {
    status: 'source',
    name,
    source: { bytes, contentType: 'application/json', ...(path === undefined ? {} : { path }) },
  }
}

function readFile(json: object, name: string): ImportLine {
  const checked = v.safeParse(fileLine, json)
  if (!checked.success) {
    const issue = checked.issues[0]
    return refused(
      name,
      'import.line',
      `\`${v.getDotPath(issue) ?? 'line'}\`: ${faultInWords(issue)}.`,
    )
  }
  const { path, source, sourceBase64, contentType = contentTypeOf(path) } = checked.output
  if (contentType === undefined) return notAPost(name)
  const bytes =
    sourceBase64 === undefined
      ? new TextEncoder().encode(source ?? '')
      : Uint8Array.from(Buffer.from(sourceBase64, 'base64'))
  return { status: 'source', name, source: { bytes, contentType, path } }
}

function notAPost(name: string): ImportLine {
  return {
    status: 'ignored',
    name,
    code: 'post.not-a-post',
    reason: noPostByName,
  }
}

function refused(name: string, code: ErrorCode, reason: string): ImportLine {
  return { status: 'refused', name, code, reason }
}
