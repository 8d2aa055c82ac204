import type { MarkdownIt, Token } from 'markdown-it'

/**
 * kramdown's attribute lists (`{: .lead}`, `{:#id}`, `{:toc}`, `{::options /}`) and the heading ids of
 * many dialects (`## Words {#id}`): ids are kept, the rest is dropped instead of shown. A list that
 * stands for a table of contents (`* TOC` with `{:toc}`) goes altogether.
 */
export function kramdownAttributes(markdown: MarkdownIt): void {
  markdown.inline.ruler.before('link', 'kramdown', (state, silent) => {
    if (state.src.charCodeAt(state.pos) !== 0x7b || state.src.charCodeAt(state.pos + 1) !== 0x3a) {
      return false
    }
    const list = /^\{::?[^{}\n]{0,300}\}/.exec(state.src.slice(state.pos, state.pos + 310))?.[0]
    if (list === undefined) return false
    if (!silent) {
      const token = state.push('kramdown', '', 0)
      token.meta = { list }
    }
    state.pos += list.length
    return true
  })
  markdown.renderer.rules.kramdown = () => ''
  markdown.core.ruler.after('inline', 'kramdown', (state) => {
    if (state.src.includes('{')) state.tokens = applyLists(state.tokens)
  })
}

function applyLists(tokens: Token[]): Token[] {
  const kept: Token[] = []
  /** The last finished block at each level: what a list on a line of its own belongs to. */
  const previous: (Token | undefined)[] = []
  const lists: { open: Token; at: number; isContents: boolean }[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (!token) break
    const inline = tokens[i + 1]
    if (token.type === 'paragraph_open' && inline?.children) {
      const found = takeLists(inline)
      if (found.some((list) => /^\{:\s*toc\b/i.test(list))) {
        for (const list of lists) list.isContents = true
      }
      const alone = inline.children.every(isBlank) && found.length > 0
      setId(alone ? previous[token.level] : token, found)
      if (alone) {
        i += 2
        continue
      }
      previous[token.level] = token
    } else if (token.type === 'heading_open' && inline?.children) {
      setId(token, [...takeLists(inline), ...takeHeadingId(inline)])
      previous[token.level] = token
    } else if (token.nesting === 1) {
      previous[token.level] = token
      if (/_list_open$/.test(token.type)) {
        lists.push({ open: token, at: kept.length, isContents: false })
      }
    }
    kept.push(token)
    if (/_list_close$/.test(token.type)) {
      const list = lists.pop()
      if (list?.isContents && lists.length === 0) kept.length = list.at
    }
  }
  return kept
}

/** The attribute lists of a block's text; the line break in front of the last one goes too. */
function takeLists(inline: Token): string[] {
  const children = inline.children ?? []
  const found = children.filter((child) => child.type === 'kramdown')
  if (found.length === 0) return []
  const rest = children.filter((child) => child.type !== 'kramdown')
  while (rest.length > 0 && isBlank(rest.at(-1))) rest.pop()
  inline.children = rest
  return found.map((child) => String(child.meta?.list))
}

function takeHeadingId(inline: Token): string[] {
  const last = inline.children?.at(-1)
  if (last?.type !== 'text' || !last.content.endsWith('}')) return []
  const at = last.content.lastIndexOf('{#')
  const list = at === -1 ? '' : last.content.slice(at)
  if (!/^\{#[^\s{}]{1,100}(\s[^{}]{0,200})?\}$/.test(list)) return []
  last.content = last.content.slice(0, at).trimEnd()
  return [list]
}

function setId(token: Token | undefined, lists: readonly string[]): void {
  for (const list of lists) {
    const id = /^\{:?\s*[^{}]*?#([^\s{}.#]{1,100})/.exec(list)?.[1]
    if (id !== undefined) token?.attrSet('id', id)
  }
}

const isBlank = (token: Token | undefined) =>
  token === undefined ||
  token.type === 'softbreak' ||
  token.type === 'hardbreak' ||
  (token.type === 'text' && token.content.trim() === '')
