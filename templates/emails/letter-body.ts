import { Parser } from 'htmlparser2'
import { colours } from '../assets/accent.ts'

const mono = `font-family:Menlo,Consolas,monospace;font-size:14px`
const text = 'font-size:16px;line-height:1.6'
const heading = 'line-height:1.3;font-weight:bold'
const gap = 'margin:16px 0 0'
const hairline = `1px solid ${colours.light.hairline}`
const cell = `padding:4px 12px 4px 0;vertical-align:top;border-bottom:${hairline};word-break:break-word`

/**
 * Inline, as mail programs want it, for what the sanitiser lets through. No colours but a hairline's:
 * text takes that of the mail around, light or dark.
 */
const tagStyles: Readonly<Record<string, string>> = {
  p: `${text};${gap}`,
  h1: `${heading};font-size:20px;margin:28px 0 0`,
  h2: `${heading};font-size:20px;margin:28px 0 0`,
  h3: `${heading};font-size:18px;margin:24px 0 0`,
  h4: `${heading};font-size:16px;margin:24px 0 0`,
  h5: `${heading};font-size:16px;margin:24px 0 0`,
  h6: `${heading};font-size:16px;margin:24px 0 0`,
  ul: `${text};${gap};padding-left:24px`,
  ol: `${text};${gap};padding-left:24px`,
  li: 'margin:6px 0 0',
  blockquote: `${text};margin:16px 0 0;padding:0 0 0 18px;border-left:1px solid`,
  pre: `${mono};${gap};line-height:1.5;white-space:pre-wrap;word-wrap:break-word`,
  code: mono,
  a: 'color:inherit;text-decoration:underline',
  img: 'display:block;border:0;max-width:100%;height:auto;margin:16px 0 0',
  figure: gap,
  figcaption: 'font-size:14px;line-height:1.5;margin:6px 0 0',
  hr: `border:0;border-top:${hairline};margin:24px 0`,
  table: `${text};${gap};border-collapse:collapse`,
  th: `${cell};text-align:left`,
  td: cell,
}

/** Elements whose line is a hairline in the dark, too: the layout's rule for this class says so. */
const hairlined = new Set(['hr', 'th', 'td'])

/** What a mail cannot show. Its content goes with it. */
const left = new Set(['video', 'audio', 'iframe', 'object', 'embed', 'source', 'track', 'picture'])
const contentWidth = 552
/** No attribute but these: classes and ids mean nothing in a mail, sizes are set anew. */
const kept = new Set('href src alt title lang dir align colspan rowspan start'.split(' '))
const alignments = new Map(
  ['left', 'right', 'center', 'justify'].map((align) => [align, `;text-align:${align}`]),
)
const empty = new Set(['img', 'br', 'hr', 'wbr', 'col'])

/**
 * A post's sanitised HTML with inline styles, cut between two blocks where it would grow over
 * `maxBytes`: every element that was begun is whole.
 */
export function letterBody(html: string, maxBytes: number): { html: string; isWhole: boolean } {
  let out = ''
  let bytes = 0
  let depth = 0
  let dropped = 0
  let isWhole = true
  let lastBlockEnd = 0
  const add = (text: string) => {
    if (!isWhole || dropped > 0) return
    out += text
    bytes += Buffer.byteLength(text)
    if (bytes > maxBytes) isWhole = false
    else if (depth === 0) lastBlockEnd = out.length
  }
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (left.has(name)) {
          // `picture` only chooses between sources; the `img` in it is for everyone.
          if (name !== 'picture') dropped += 1
          return
        }
        if (!empty.has(name)) depth += 1
        add(`<${name}${attributesOf(name, attributes)}>`)
      },
      ontext(text) {
        add(escaped(text))
      },
      onclosetag(name) {
        if (left.has(name)) {
          if (name !== 'picture') dropped -= 1
          return
        }
        if (empty.has(name)) return
        depth -= 1
        add(`</${name}>`)
      },
    },
    { decodeEntities: true },
  )
  parser.end(html)
  return isWhole ? { html: out, isWhole } : { html: out.slice(0, lastBlockEnd), isWhole }
}

function attributesOf(name: string, attributes: Record<string, string>): string {
  let text = ''
  for (const [key, value] of Object.entries(attributes)) {
    if (kept.has(key)) text += ` ${key}="${escaped(value)}"`
  }
  if (name === 'img') {
    if (!('alt' in attributes)) text += ' alt=""'
    text += sizeOf(Number(attributes.width), Number(attributes.height))
  }
  if (hairlined.has(name)) text += ' class="line"'
  const style = tagStyles[name]
  if (!style) return text
  // The attribute alone gives way to any style.
  const align = alignments.get(attributes.align ?? '') ?? ''
  return `${text} style="${style}${align}"`
}

// Outlook goes by the attribute alone, and without one shows a picture in its full size.
function sizeOf(width: number, height: number): string {
  if (!(width > 0)) return ` width="${contentWidth}"`
  const shown = Math.min(contentWidth, Math.round(width))
  return height > 0
    ? ` width="${shown}" height="${Math.max(1, Math.round((height / width) * shown))}"`
    : ` width="${shown}"`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
