import type { Child } from 'hono/jsx'

/** A message whose `words` in backticks are code. */
export function markedText(text: string): Child {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))
}
