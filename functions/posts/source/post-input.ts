import * as v from 'valibot'
import { type FieldError, invalid } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { parseJson } from '../../parse-json.ts'
import { faultInWords } from '../../schema-fault.ts'
import { mailModes } from '../post.ts'

const line = (limit: number) => v.pipe(v.string(), v.maxLength(limit))
const names = v.union([v.pipe(v.array(line(200)), v.maxLength(100)), line(2000)])

const image = v.strictObject({
  url: line(4000),
  alt: v.optional(line(1000)),
  width: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
  height: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
})

const enclosure = v.strictObject({
  url: line(4000),
  type: v.optional(line(200)),
  length: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
})

/** The JSON body of `POST /api/v1/posts`, and a line of an import. */
export const postInput = v.strictObject({
  id: v.optional(line(500)),
  title: line(2000),
  published: v.optional(v.nullable(line(100))),
  updated: v.optional(v.nullable(line(100))),
  categories: v.optional(names),
  tags: v.optional(names),
  authors: v.optional(names),
  url: v.optional(line(4000)),
  slug: v.optional(line(500)),
  content: v.string(),
  contentType: v.optional(v.picklist(['text/markdown', 'text/html'])),
  summary: v.optional(line(20_000)),
  image: v.optional(v.union([line(4000), image])),
  enclosures: v.optional(v.pipe(v.array(enclosure), v.maxLength(20))),
  language: v.optional(line(100)),
  draft: v.optional(v.boolean()),
  mail: v.optional(v.picklist(mailModes)),
  mailAt: v.optional(
    v.pipe(
      v.nullable(line(100)),
      v.description('When its letter goes: RFC 3339, or local time in the zone of dates.'),
    ),
  ),
})

export type PostInput = v.InferOutput<typeof postInput>

/**
 * Reads a post as JSON. Refused: text that is not JSON (400 `malformed-json`), and every field that
 * is missing, unknown (the nearest known one is named) or of the wrong shape (`post.input`, all of
 * them in `errors`).
 */
export function readPostInput(text: string): PostInput {
  const value = parseJson(text, 'The post')
  const result = v.safeParse(postInput, value)
  if (result.success) return result.output
  const errors = [...unknownFields(value), ...result.issues.flatMap(faultOf)].slice(0, 20)
  const told = errors.map(({ path, message }) =>
    path === '' ? message : `\`${path}\`: ${message}`,
  )
  throw invalid('post.input', `The post cannot be used: ${told.join('; ')}.`, { errors })
}

/** All of them: the schema stops at the first. */
function unknownFields(value: unknown): FieldError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const known = Object.keys(postInput.entries)
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  return unknown.slice(0, 20).map((key) => {
    const near = nearest(key, known)
    const hint = near === undefined ? '' : `, did you mean \`${near}\`?`
    return { path: key.slice(0, 60), message: `unknown field${hint}` }
  })
}

function faultOf(issue: v.InferIssue<typeof postInput>): FieldError[] {
  const path = v.getDotPath(issue) ?? ''
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return path.includes('.') ? [{ path, message: 'unknown field' }] : []
  }
  return [{ path, message: faultInWords(issue) }]
}
