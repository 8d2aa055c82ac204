import { invalid } from '../../errors.ts'
import {
  alignmentOf,
  attributeChecks,
  blockElements,
  dropped,
  isHidden,
  outputNames,
  tableContent,
  tableParts,
} from './allow-list.ts'
import { cleanAttribute, offerMedia, writeImage, writeOutsideLink } from './content-media.ts'
import {
  endRun,
  escapeAttribute,
  markWalk,
  type Open,
  type Walk,
  write,
  writeText,
} from './content-walk.ts'
import { resolveUrl } from './urls.ts'

type Attributes = Readonly<Record<string, string>>

/** Elements nested deeper lose their tags; a browser flattens at 512. */
const depthLimit = 100
/** Nested deeper is refused: the parser's own work grows with it. */
const refusedDepth = 1000

/** Shorter than the rules of a mail, which part it from what is around it. */
const textRule = '─'.repeat(24)

export const isHeading = (output: string) => /^h[1-6]$/.test(output)

/** How many line ends part a block from its neighbours in plain text: cells stand side by side. */
export function gapOf(output: string, outNames: readonly string[]): 0 | 1 | 2 {
  if (output === 'td' || output === 'th') return 0
  if (/^(li|tr|dt|dd|summary|thead|tbody|tfoot)$/.test(output)) return 1
  return (output === 'ul' || output === 'ol') && outNames.includes('li') ? 1 : 2
}

/** A start tag of the source. Each is put on the stack, whatever becomes of it. */
export function openTag(walk: Walk, name: string, attributes: Attributes): void {
  if (walk.stack.length >= refusedDepth) {
    throw invalid(
      'post.nesting',
      'The post nests more than 1,000 elements. Close the elements that are left open.',
    )
  }
  if (name === 'source') offerMedia(walk, walk.stack.at(-1), attributes)
  const open: Open = { name, at: walk.out.length, units: walk.units }
  walk.stack.push(open)
  if (walk.dropDepth > 0 || dropped.has(name) || isHidden(name, attributes)) drop(walk, open)
  else if (name === 'iframe') {
    writeOutsideLink(walk, attributes.src, attributes.title)
    drop(walk, open)
  } else if (name === 'video' || name === 'audio') {
    offerMedia(walk, open, attributes)
    drop(walk, open)
  } else if (name === 'img') writeImage(walk, attributes)
  else if (name === 'input') writeCheckbox(walk, attributes)
  else {
    const output = outputNames.get(name)
    if (output !== undefined) openElement(walk, open, output, attributes)
  }
}

function drop(walk: Walk, open: Open): void {
  open.isDropped = true
  walk.dropDepth++
}

/** Task lists: the only control that says something where it cannot be used. */
function writeCheckbox(walk: Walk, attributes: Attributes): void {
  if (attributes.type?.toLowerCase() !== 'checkbox') return
  writeText(walk, attributes.checked === undefined ? '☐ ' : '☑ ')
}

function openElement(walk: Walk, open: Open, output: string, attributes: Attributes): void {
  const isBlock = blockElements.has(output)
  if (isBlock) {
    endRun(walk)
    walk.text.block(gapOf(output, walk.outNames))
  }
  const isInTable = tableContent.has(walk.outNames.at(-1) ?? '')
  if (output === 'br') {
    walk.text.block(1)
    walk.run.text += '\n'
    if (!isInTable) write(walk, '<br>')
    return
  }
  if (output === 'wbr') return isInTable ? undefined : write(walk, '<wbr>')
  if (output === 'hr') return writeRule(walk, isInTable)
  const href = output === 'a' ? linkTarget(walk, attributes.href) : undefined
  const id = walk.fragments.idOf(attributes.id ?? (output === 'a' ? attributes.name : undefined))
  const others = otherAttributes(output, open.name, attributes)
  const saysNothing =
    (output === 'a' && href === undefined && id === undefined) ||
    (output === 'span' && id === undefined && others === '')
  if (saysNothing || !mayStand(walk, output, isBlock)) {
    keepApart(walk, isBlock)
    return
  }
  open.out = output
  if (href !== undefined) open.href = href
  if (id !== undefined) open.hasId = true
  if (output === 'p' || output === 'div' || isHeading(output)) open.mark = markWalk(walk)
  enter(walk, open, attributes)
  const address = href === undefined ? '' : ` href="${escapeAttribute(href)}"`
  const target = id === undefined ? '' : ` id="${escapeAttribute(id)}"`
  write(walk, `<${output}${address}${target}${others}>`)
}

function writeRule(walk: Walk, isInTable: boolean): void {
  if (walk.depth.p > 0 || walk.depth.heading > 0 || isInTable) return
  walk.units++
  walk.text.text(textRule)
  walk.text.block(2)
  write(walk, '<hr>')
}

/** What was a paragraph of its own stays apart where it may not be one. */
function keepApart(walk: Walk, isBlock: boolean): void {
  if (!isBlock || walk.depth.p === 0) return
  const paragraph = walk.stack.findLast((element) => element.out === 'p')
  if (paragraph && walk.units > paragraph.units) write(walk, '<br>')
}

function linkTarget(walk: Walk, href: string | undefined): string | undefined {
  if (href === undefined) return undefined
  const trimmed = href.trimStart()
  return trimmed.startsWith('#')
    ? walk.fragments.hrefOf(trimmed.slice(1))
    : resolveUrl(href, walk.options.baseUrl)
}

/** Whether a browser would leave the element where it is written. */
function mayStand({ depth, outNames }: Walk, output: string, isBlock: boolean): boolean {
  if (outNames.length >= depthLimit) return false
  if (isBlock && (depth.p > 0 || depth.heading > 0)) return false
  if (output === 'a' && depth.a > 0) return false
  if (closesPeer(outNames, output)) return false
  const parent = outNames.at(-1) ?? ''
  const allowed = tableContent.get(parent)
  return allowed === undefined ? !tableParts.has(output) : allowed.has(output)
}

const peers: Record<string, string> = {
  li: 'li',
  dt: 'dt dd',
  dd: 'dt dd',
  rt: 'rt rp',
  rp: 'rt rp',
}

/** Items end the item that they are met in, through paragraphs and words but no other block. */
function closesPeer(outNames: readonly string[], output: string): boolean {
  const group = peers[output]?.split(' ')
  if (!group) return false
  for (let i = outNames.length - 1; i >= 0; i--) {
    const name = outNames[i] ?? ''
    if (group.includes(name)) return true
    if (blockElements.has(name) && name !== 'div' && name !== 'p') return false
  }
  return false
}

function enter(walk: Walk, open: Open, attributes: Attributes): void {
  const { depth, text, stack, outNames } = walk
  const output = open.out ?? ''
  outNames.push(output)
  if (output === 'p') {
    depth.p++
    open.isSourceLink = attributes['data-source-link'] !== undefined
  } else if (output === 'a') {
    depth.a++
    open.isWayBack = attributes.class === 'footnote-backref'
  } else if (output === 'pre') depth.pre++
  else if (output === 'table') depth.table++
  else if (isHeading(output)) depth.heading++
  else if (output === 'blockquote') text.enter('> ')
  else if (output === 'ol') open.nextItem = Number.parseInt(attributes.start ?? '1', 10) || 1
  else if (output === 'li') {
    const list = stack.findLast((element) => element.out === 'ul' || element.out === 'ol')
    const item = list?.nextItem === undefined ? undefined : list.nextItem++
    const marker =
      item === undefined ? '- ' : depth.notes > 0 ? `${noteMark(String(item))} ` : `${item}. `
    text.enter(' '.repeat(marker.length), marker)
  } else if (output === 'td' || output === 'th') {
    const row = stack.findLast((element) => element.out === 'tr')
    if (row?.cells) text.text(' | ')
    if (row) row.cells = (row.cells ?? 0) + 1
  } else if (output === 'section' && attributes.class === 'footnotes') {
    depth.notes++
    open.isNotes = true
  }
}

/** Digits as a page raises them: `[1]` is a link target in plain text, and `1.` an item of a list. */
export function noteMark(digits: string): string {
  return digits.replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? digit)
}

function otherAttributes(output: string, name: string, attributes: Attributes): string {
  const checks = attributeChecks.get(output)
  let html = ''
  for (const key in attributes) {
    if (key === 'align') continue
    const value = checks?.get(key)?.(cleanAttribute(attributes[key] ?? ''))
    if (value !== undefined) html += ` ${key}="${escapeAttribute(value)}"`
  }
  const align = checks?.get('align')?.(alignmentOf(name, attributes) ?? '')
  return align === undefined ? html : `${html} align="${align}"`
}
