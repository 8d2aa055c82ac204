import type { MarkdownIt, StateCore, Token } from 'markdown-it'
import footnote from 'markdown-it-footnote'

interface Note {
  label?: string
  content?: string
  /** How often the text refers to it. */
  count?: number
  /** Of a note written in place (`^[…]`). */
  tokens?: Token[]
}

/**
 * Footnotes (`[^1]`, `^[in place]`) by markdown-it-footnote, with its last step replaced: that one
 * copies the whole document once a note, which takes minutes for a few thousand notes.
 */
export function footnotes(markdown: MarkdownIt): void {
  markdown.use(footnote)
  markdown.core.ruler.at('footnote_tail', appendNotes)
}

function appendNotes(state: StateCore): void {
  const found = (state.env as { footnotes?: { list?: Note[] } } | undefined)?.footnotes
  if (!found) return
  const { kept, definitions } = takeDefinitions(state.tokens)
  state.tokens = kept
  if (!found.list) return
  const add = (type: string, tag = '', nesting: -1 | 0 | 1 = 0) => {
    const token = new state.Token(type, tag, nesting)
    kept.push(token)
    return token
  }
  add('footnote_block_open', '', 1)
  found.list.forEach((note, id) => {
    add('footnote_open', '', 1).meta = { id, label: note.label }
    if (note.tokens) {
      add('paragraph_open', 'p', 1).block = true
      const inline = add('inline')
      inline.children = note.tokens
      inline.content = note.content ?? ''
      add('paragraph_close', 'p', -1).block = true
    } else for (const token of definitions.get(note.label ?? '') ?? []) kept.push(token)
    const last = kept.at(-1)?.type === 'paragraph_close' ? kept.pop() : undefined
    for (let subId = 0; subId < Math.max(note.count ?? 0, 1); subId++) {
      add('footnote_anchor').meta = { id, subId, label: note.label }
    }
    if (last) kept.push(last)
    add('footnote_close', '', -1)
  })
  add('footnote_block_close', '', -1)
}

/** Parts the text from the notes defined in it, by label. */
function takeDefinitions(tokens: readonly Token[]) {
  const kept: Token[] = []
  const definitions = new Map<string, Token[]>()
  let current: Token[] | undefined
  for (const token of tokens) {
    if (token.type === 'footnote_reference_open') {
      current = []
      definitions.set(String(token.meta?.label), current)
    } else if (token.type === 'footnote_reference_close') current = undefined
    else (current ?? kept).push(token)
  }
  return { kept, definitions }
}
