import type { Context } from 'hono'
import { ServiceError } from '../errors.ts'
import { parseJson } from '../parse-json.ts'

/** What a form or a JSON body says: texts, and for `categories` a list. */
export interface Fields {
  values: Readonly<Record<string, unknown>>
  isJson: boolean
}

/** More than a form of ours has with every category there may be. */
const maxFields = 2000

/**
 * Reads a form (URL-encoded or multipart) or a JSON object. `categories`, repeated or called
 * `category`, becomes a list; of any other field the first value counts. Files are left out.
 *
 * @throws `malformed-json`, `malformed-form`, `media-type` or `too-many-fields`
 */
export async function readFields(c: Context): Promise<Fields> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  switch (type) {
    case 'application/json':
      return { values: jsonFields(await c.req.text()), isJson: true }
    case 'application/x-www-form-urlencoded':
      return { values: formFields(new URLSearchParams(await c.req.text())), isJson: false }
    case 'multipart/form-data':
      return { values: formFields(await multipart(c)), isJson: false }
    case '':
      // A POST without a body, as a bare button of some mail programs sends it.
      if ((await c.req.text()) === '') return { values: {}, isJson: false }
  }
  throw new ServiceError(
    415,
    'media-type',
    'This takes a form (`application/x-www-form-urlencoded` or `multipart/form-data`) or `application/json`.',
  )
}

/** Whether the answer should be JSON: the request was, or asks for it and not for a page. */
export function wantsJson(c: Context): boolean {
  const type = c.req.header('content-type') ?? ''
  const accept = c.req.header('accept') ?? ''
  return (
    /^application\/json\b/i.test(type) ||
    (accept.includes('application/json') && !accept.includes('text/html'))
  )
}

/** A field's text without blanks around it, or `undefined` when there is none. */
export function textOf({ values }: Fields, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** Of what was typed, what a form that is shown again is filled in with. */
export function shortTexts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= 1000,
    ),
  )
}

function jsonFields(text: string): Record<string, unknown> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ServiceError(400, 'malformed-json', 'The body must be one JSON object.')
  }
  return value as Record<string, unknown>
}

function formFields(form: Iterable<[string, unknown]>): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null)
  const categories: string[] = []
  let count = 0
  for (const [name, value] of form) {
    count += 1
    if (count > maxFields) {
      throw new ServiceError(400, 'too-many-fields', `A form may have at most ${maxFields} fields.`)
    }
    if (typeof value !== 'string') continue
    if (name === 'categories' || name === 'category') categories.push(value)
    if (name !== 'categories' && !(name in values)) values[name] = value
  }
  if (categories.length > 0) values.categories = categories
  return values
}

async function multipart(c: Context): Promise<Iterable<[string, unknown]>> {
  try {
    return await c.req.formData()
  } catch (cause) {
    throw new ServiceError(400, 'malformed-form', 'The form cannot be read. Send it again.', {
      cause,
    })
  }
}
