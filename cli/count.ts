import { usageError } from './exit.ts'

/** How many somebody wants at most: a whole number from 1. */
export function countOf(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw usageError(`\`${text}\` is no number for \`${option}\`. Say how many, from 1.`)
}
