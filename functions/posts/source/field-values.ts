import { collapseBlanks } from '../content/joint.ts'
import { isMapping } from './yaml.ts'

/** A front matter's values by key, whatever its case, hyphens and underscores. */
export type Fields = ReadonlyMap<string, unknown>

export function fieldsOf(values: Readonly<Record<string, unknown>>): Fields {
  return new Map(Object.entries(values).map(([key, value]) => [bareKey(key), value]))
}

const bareKey = (key: string) => key.toLowerCase().replace(/[\s_-]/g, '')

/** The first of the fields that is given, `a.b` for `b` within `a`; null, `''` and `[]` count as absent. */
export function field(fields: Fields, ...names: readonly string[]): unknown {
  for (const name of names) {
    const dot = name.indexOf('.')
    let value = fields.get(dot === -1 ? name : name.slice(0, dot))
    if (dot !== -1) value = isMapping(value) ? fieldsOf(value).get(name.slice(dot + 1)) : undefined
    if (isGiven(value)) return value
  }
  return undefined
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined) return false
  if (typeof value === 'string') return value.trim() !== ''
  return !Array.isArray(value) || value.length > 0
}

/** A scalar as text, blanks and control characters collapsed; `undefined` for lists and mappings. */
export function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value : isNumber(value) ? String(value) : undefined
  if (text === undefined) return undefined
  const visible = text
    .replace(/\p{Surrogate}|[\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]/gu, '')
    .replace(/(?:(?!\n)[\s\p{Cc}])+/gu, ' ')
  const clean = collapseBlanks(visible.trim()).normalize('NFC')
  return clean === '' ? undefined : clean
}

const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint'

/** Truth as YAML 1.1 has it, quoted or not; `undefined` for every other value. */
export function truthOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  const word = value.trim().toLowerCase()
  if (word === 'true' || word === 'yes' || word === 'on') return true
  if (word === 'false' || word === 'no' || word === 'off') return false
  return undefined
}

/** More visited values than any post has: aliases of YAML can make a small head a huge tree. */
const visitLimit = 2000

/**
 * The names in a list, however nested, each once and in order. A mapping stands for its `name` (or
 * `label`, `title`). `split` cuts the text of a value that is no list.
 */
export function namesOf(value: unknown, split: (text: string) => string[]): string[] {
  const names = new Set<string>()
  const waiting: unknown[] = Array.isArray(value) ? [...value].reverse() : []
  if (!Array.isArray(value)) {
    const text = textOf(value)
    for (const part of text === undefined ? [] : split(text)) names.add(part)
    if (isMapping(value)) waiting.push(value)
  }
  for (let visited = 0; waiting.length > 0 && visited < visitLimit; visited++) {
    const item = waiting.pop()
    if (Array.isArray(item)) waiting.push(...item.slice(0, visitLimit).reverse())
    else if (isMapping(item)) waiting.push(item.name ?? item.label ?? item.title ?? null)
    else {
      const text = textOf(item)
      if (text !== undefined) names.add(text)
    }
  }
  return [...names].filter((name) => name !== '')
}

/** Jekyll's rule for a plain text: commas part where there are any, else blanks. */
export const splitWords = (text: string) =>
  (text.includes(',') ? text.split(',') : text.split(' '))
    .map((part) => part.trim())
    .filter(Boolean)

export const splitCommas = (text: string) =>
  text
    .split(text.includes(';') ? ';' : ',')
    .map((part) => part.trim())
    .filter(Boolean)

export const asOne = (text: string) => [text]
