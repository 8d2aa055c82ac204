import type * as v from 'valibot'

/**
 * What is wrong with a value, for the person who sent it, to stand behind its path. Messages that a
 * schema gives itself stay; those of the library speak of types.
 */
export function faultInWords(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith('Invalid ')) return issue.message
  if (issue.expected === 'never') return 'is not known here'
  if (issue.received === 'undefined') return 'it is missing'
  const most = issue.requirement as number
  switch (issue.type) {
    case 'string':
      return 'must be text'
    case 'number':
      return 'must be a number'
    case 'boolean':
      return 'must be true or false'
    case 'array':
      return 'must be a list'
    case 'object':
    case 'strict_object':
    case 'loose_object':
    case 'record':
      return 'must be an object'
    case 'picklist':
    case 'literal':
      return `must be ${choices(issue.expected ?? '')}`
    case 'max_length':
      return `is longer than ${most.toLocaleString('en')}`
    case 'min_length':
      return `is shorter than ${most.toLocaleString('en')}`
    case 'min_value':
      return `must be at least ${most}`
    case 'max_value':
      return `must be at most ${most}`
    case 'integer':
      return 'must be a whole number'
    default:
      return 'has the wrong shape'
  }
}

/** `("daily" | "weekly")` as a person would write it. */
function choices(expected: string): string {
  const names = [...expected.matchAll(/"([^"]*)"/g)].map(([, name]) => `\`${name}\``)
  return names.length > 1 ? `one of ${names.join(', ')}` : (names[0] ?? expected)
}
