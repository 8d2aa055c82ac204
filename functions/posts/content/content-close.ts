import { blockElements, outputNames } from './allow-list.ts'
import { gapOf, isHeading } from './content-open.ts'
import { endRun, escapeAttribute, type Open, rewindWalk, type Walk, write } from './content-walk.ts'
import { sameText } from './same-text.ts'

/** The end of the innermost element of the source, written or implied. */
export function closeTag(walk: Walk): void {
  const open = walk.stack.pop()
  if (!open) return
  if (open.isDropped) {
    walk.dropDepth--
    if (open.name === 'title' && walk.documentTitle !== undefined) walk.hasDocumentTitle = true
    return
  }
  if (walk.dropDepth > 0) return
  if (open.out === undefined) {
    // Its tags are left out, but it was a block.
    if (!blockElements.has(outputNames.get(open.name) ?? '')) return
    endRun(walk)
    walk.text.block(1)
    return
  }
  closeElement(walk, open, open.out)
}

function closeElement(walk: Walk, open: Open, output: string): void {
  const { depth, text } = walk
  const isBlock = blockElements.has(output)
  const run = isBlock ? endRun(walk) : walk.run
  walk.outNames.pop()
  if (output === 'p') depth.p--
  else if (output === 'a') depth.a--
  else if (output === 'pre') depth.pre--
  else if (output === 'table') depth.table--
  else if (isHeading(output)) depth.heading--
  else if (output === 'blockquote' || output === 'li') text.leave()
  if (open.isNotes) depth.notes--
  if (isBlock) text.block(gapOf(output, walk.outNames))
  if (isEmpty(walk, open, output, isBlock)) return
  if (output === 'a') noteLink(walk, open)
  if (isHeading(output) && !open.hasId) nameHeading(walk, open, run.text)
  write(walk, `</${output}>`)
  if (isHeading(output)) judgeHeading(walk, open, run.text)
  else judgeBlock(walk, open, run)
}

const stayEmpty = /^(td|th|tr|thead|tbody|tfoot|caption|rt|rp)$/

/** Takes out an element that shows nothing: an empty paragraph is a gap in every reader. */
function isEmpty(walk: Walk, open: Open, output: string, isBlock: boolean): boolean {
  if (walk.units > open.units || open.hasId || stayEmpty.test(output)) return false
  const inside = walk.out.slice(open.at + 1)
  if (!isBlock && inside.some((piece) => piece.trim() !== '')) return false
  walk.out.length = open.at
  if (!isBlock && inside.length > 0) write(walk, ' ')
  return true
}

/** Gives a link the number under which the plain text lists its target. */
function noteLink(walk: Walk, open: Open): void {
  const { href } = open
  if (href === undefined || open.isWayBack || walk.units === open.units) return
  if (href.startsWith(`${walk.options.pageUrl}#`)) return
  const label = walk.out
    .slice(open.at + 1)
    .join('')
    .replaceAll('&amp;', '&')
  if (spelled(label) === spelled(href.replace(/^mailto:/, ''))) return
  const number = walk.links.get(href) ?? walk.links.size + 1
  if (number > 500) return
  walk.links.set(href, number)
  // Scripts without blanks get none in front of the number either.
  walk.text.text(
    /[\u3000-\u9fff\uff00-\uff60]$/.test(label.replace(/<[^>]*>$/, ''))
      ? `[${number}]`
      : ` [${number}]`,
  )
}

/** An address as people read it, to see that a label already says it. */
function spelled(address: string): string {
  const bare = address.trim().replace(/\/$/, '')
  try {
    return decodeURI(bare)
  } catch {
    return bare
  }
}

function nameHeading(walk: Walk, open: Open, text: string): void {
  const id = walk.fragments.idOfHeading(text)
  if (id === undefined) return
  const tag = walk.out[open.at] ?? ''
  walk.out[open.at] = tag.replace(/^<h\d/, (start) => `${start} id="${escapeAttribute(id)}"`)
  open.hasId = true
}

/** The first heading may be the post's title; at the top it then does not stand there twice. */
function judgeHeading(walk: Walk, open: Open, text: string): void {
  const isFirst = open.units === 0
  // Words of a template are no title, and a text of this length is a paragraph.
  if (text === '' || text.length > 200 || text.includes('{{') || !open.mark) return
  if (isFirst || open.out === 'h1') walk.heading ??= text
  const { title } = walk.options
  if (isFirst && (title === undefined || sameText(text, title))) rewindWalk(walk, open.mark)
}

/** Patterns were tried on texts of this length; on longer ones they could take long. */
const mostHidden = 300

function showsMedia(walk: Walk, open: Open): boolean {
  return walk.out.slice(open.at).some((piece) => /^<(img|video|audio)\b/.test(piece))
}

function judgeBlock(
  walk: Walk,
  open: Open,
  run: { text: string; isLinksOnly: boolean; isCut: boolean },
): void {
  const { mark } = open
  if (!mark || walk.runCount - mark.runs !== 1) return
  if (!run.isCut && run.text.length <= mostHidden) {
    const { hiddenLines = [], hiddenParagraphs = [] } = walk.options
    const says = (line: RegExp) => line.test(run.text)
    if (run.isLinksOnly && hiddenLines.some(says)) return rewindWalk(walk, mark)
    if (hiddenParagraphs.some(says) && !showsMedia(walk, open)) return rewindWalk(walk, mark)
  }
  if (open.isSourceLink && run.isLinksOnly) {
    walk.source = { href: run.text, mark, unitsAfter: walk.units }
  }
}
