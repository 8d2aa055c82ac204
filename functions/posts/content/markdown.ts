import MarkdownIt, { type Env, type RendererRule, type Token } from 'markdown-it'
import cjkFriendly from 'markdown-it-cjk-friendly'
import { tooLarge } from '../../errors.ts'
import { footnotes } from './footnotes.ts'
import { jointOf } from './joint.ts'
import { kramdownAttributes } from './kramdown.ts'

/** The characters that addresses may add: references repeat theirs at each use. */
const addressBudget = 10_000_000

const markdown = new MarkdownIt({ html: true, linkify: true })
// Only addresses with a scheme become links: `README.md` and `index.ts` are no hosts.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false })
markdown.use(footnotes).use(cjkFriendly).use(kramdownAttributes)
markdown.core.ruler.push('source-link', markSourceLink)

const renderToken: RendererRule = (tokens, index, options, _env, renderer) =>
  renderer.renderToken(tokens, index, options)

markdown.renderer.rules.softbreak = (tokens, index) =>
  jointOf(textOf(tokens[index - 1]), textOf(tokens[index + 1])) && '\n'
for (const [type, attribute] of [
  ['link_open', 'href'],
  ['image', 'src'],
] as const) {
  const render = markdown.renderer.rules[type] ?? renderToken
  markdown.renderer.rules[type] = (tokens, index, options, env, renderer) => {
    charge(env, tokens[index], attribute)
    return render(tokens, index, options, env, renderer)
  }
}

/**
 * CommonMark with tables, strikethrough, footnotes, links of bare addresses, kramdown's attribute
 * lists, and emphasis and line breaks that work beside Chinese, Japanese and Korean. The result is
 * **not safe**: raw HTML passes through, to be sanitised by `readContent`. Nesting deeper than a
 * hundred levels ends the parse of that block. Refused as `too-large` when references blow up.
 */
export function renderMarkdown(text: string): string {
  const env: Env = { addressCharacters: 0 }
  return markdown.render(kramdownBlocks(text), env)
}

function charge(env: Env | undefined, token: Token | undefined, attribute: string): void {
  if (!env || !token) return
  const length =
    String(token.attrGet(attribute) ?? '').length + String(token.attrGet('title') ?? '').length
  const sum = Number(env.addressCharacters ?? 0) + length
  if (sum > addressBudget)
    throw tooLarge('The text of all link targets together', '10 million characters')
  env.addressCharacters = sum
}

/**
 * Marks paragraphs that consist of one autolink (`<https://…>`) and nothing else. Mirrors of news
 * end with such a line to name the source; only `readContent` can say whether it is the last one.
 */
function markSourceLink({ tokens }: { tokens: Token[] }): void {
  for (let i = 0; i < tokens.length - 1; i++) {
    const open = tokens[i]
    const inline = tokens[i + 1]
    if (open?.type !== 'paragraph_open' || open.level !== 0 || inline?.children?.length !== 3)
      continue
    const [link] = inline.children
    if (link?.type === 'link_open' && link.markup === 'autolink')
      open.attrSet('data-source-link', '')
  }
}

/** kramdown parses Markdown inside `<div markdown="1">`; CommonMark does so after a blank line. */
function kramdownBlocks(text: string): string {
  if (!text.includes('markdown=')) return text
  let fence = ''
  return text
    .split('\n')
    .map((line) => {
      const [, mark] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? []
      if (mark && fence === '') fence = mark
      else if (mark?.startsWith(fence) && line.trim() === mark) fence = ''
      const opens =
        fence === '' &&
        /^ {0,3}<[a-z][a-z0-9]* [^<>]{0,500}markdown=["']?(?:1|block|span)["']?[^<>]{0,500}>\s*$/.test(
          line,
        )
      return opens ? `${line}\n` : line
    })
    .join('\n')
}

function textOf(token: Token | undefined): string {
  return token?.type === 'text' ? token.content : ''
}
