import { urlPaths } from '../../keys.ts'
import { slugify } from '../slug.ts'
import { describePath } from './source-path.ts'

export interface LiquidContext {
  /** Absolute, without a trailing slash. */
  baseUrl: string
  siteTitle: string
  /** The post's title, where it is known already. */
  pageTitle?: string
  markup: 'markdown' | 'html'
}

interface Tag {
  kind: 'tag' | 'output'
  start: number
  end: number
  /** Of a tag its first word. */
  name: string
  rest: string
  /** Index of the tag that ends this block. */
  close?: number
}

/**
 * What can be said about Jekyll's Liquid without running it: `raw` and `comment` end as they
 * would, `highlight` becomes a code block, `post_url` and `link` addresses, `site.url` and
 * `site.baseurl` nothing (addresses are made absolute later), `site.title` and `page.title` their
 * texts, and a quoted address piped through `relative_url` or `absolute_url` itself. Everything
 * else stays as the author wrote it, visible: its value is known only to the site's own build.
 */
export function resolveLiquid(text: string, context: LiquidContext): string {
  if (!text.includes('{%') && !text.includes('{{')) return text
  const tags = pairTags(findTags(text))
  return render(text, tags, 0, tags.length, 0, text.length, context)
}

function render(
  text: string,
  tags: readonly Tag[],
  from: number,
  to: number,
  start: number,
  end: number,
  context: LiquidContext,
): string {
  let out = ''
  let at = start
  for (let i = from; i < to; i++) {
    const tag = tags[i]
    if (tag === undefined || tag.start < at) continue
    out += text.slice(at, tag.start)
    at = tag.end
    const { close } = tag
    const closer = close === undefined || close >= to ? undefined : tags[close]
    if (close === undefined || closer === undefined) {
      out += single(tag, context) ?? text.slice(tag.start, tag.end)
      continue
    }
    if (tag.name === 'raw') out += text.slice(tag.end, closer.start)
    else if (tag.name === 'highlight') {
      // Only `raw` stands inside, so this goes one level deep.
      const code = render(text, tags, i + 1, close, tag.end, closer.start, context)
      const indent = /(?:^|\n)([ \t]*)$/.exec(out.slice(-100))?.[1]
      out += codeBlock(code, tag.rest.split(/\s+/)[0] ?? '', indent, context.markup)
    }
    i = close
    at = closer.end
  }
  return out + text.slice(at, end)
}

/**
 * Notes with each `raw`, `comment` and `highlight` where it ends, and leaves out what stands in
 * `raw`: that is text. One pass from behind each, so that openings without an end cost no search.
 */
function pairTags(tags: readonly Tag[]): Tag[] {
  const ends = nextEnds(tags, 'raw')
  const live: Tag[] = []
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i]
    if (tag === undefined) break
    live.push(tag)
    const end = tag.kind === 'tag' && tag.name === 'raw' ? ends[i] : undefined
    if (end === undefined) continue
    tag.close = live.length
    i = end - 1
  }
  for (const name of ['comment', 'highlight']) {
    const nextEnd = nextEnds(live, name)
    live.forEach((tag, i) => {
      const end = nextEnd[i]
      if (tag.kind === 'tag' && tag.name === name && end !== undefined) tag.close = end
    })
  }
  return live
}

/** For each tag the index of the nearest `end…` behind it. */
function nextEnds(tags: readonly Tag[], name: string): (number | undefined)[] {
  const ends: (number | undefined)[] = new Array(tags.length)
  let next: number | undefined
  for (let i = tags.length - 1; i >= 0; i--) {
    ends[i] = next
    if (tags[i]?.kind === 'tag' && tags[i]?.name === `end${name}`) next = i
  }
  return ends
}

function single({ kind, name, rest }: Tag, context: LiquidContext): string | undefined {
  if (kind === 'tag') {
    if (name === 'post_url') return `${context.baseUrl}${postPath(rest)}`
    if (name !== 'link' || !/^[^\s{}]+$/.test(rest)) return undefined
    if (/(^|\/)_posts\//.test(rest)) return `${context.baseUrl}${postPath(rest)}`
    return `/${rest.replace(/^\/|^_/, '').replace(/\.(md|markdown)$/i, '.html')}`
  }
  if (rest === 'site.baseurl' || rest === 'site.url') return ''
  if (rest === 'site.title') return context.siteTitle
  if (rest === 'page.title') return context.pageTitle
  return /^(["'])([^"']*)\1\s*\|\s*(?:relative_url|absolute_url)$/.exec(rest)?.[2]
}

function postPath(reference: string): string {
  const name = reference.split('/').at(-1) ?? ''
  return urlPaths.post(
    slugify(describePath(/\.(md|markdown|html)$/.test(name) ? name : `${name}.md`).words),
  )
}

function codeBlock(
  code: string,
  language: string,
  indent: string | undefined,
  markup: 'markdown' | 'html',
): string {
  const body = code.replace(/^\n|\n[ \t]*$/g, '')
  if (markup === 'html' || indent === undefined) {
    const escaped = body.replace(/[&<>]/g, (c) =>
      c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;',
    )
    return `<pre><code class="language-${language.replace(/[^\w+#.-]/g, '')}">${escaped}</code></pre>`
  }
  let fence = 3
  for (const [run] of body.matchAll(/`{3,}/g)) fence = Math.max(fence, run.length + 1)
  const marks = '`'.repeat(fence)
  return `${marks}${language.replace(/[`\s]/g, '')}\n${body}\n${indent}${marks}`
}

/** All tags in order, in one pass: a tag is at most 2,000 characters long. */
function findTags(text: string): Tag[] {
  const tags: Tag[] = []
  let nextTagEnd = -1
  let nextOutputEnd = -1
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    const second = text[at + 1]
    if (second !== '%' && second !== '{') continue
    // Found ends are kept, so that thousands of openings do not each search the whole text.
    if (second === '%' && nextTagEnd < at + 2) nextTagEnd = indexOrEnd(text, '%}', at + 2)
    if (second === '{' && nextOutputEnd < at + 2) nextOutputEnd = indexOrEnd(text, '}}', at + 2)
    const close = second === '%' ? nextTagEnd : nextOutputEnd
    if (close - at > 2000) continue
    const inner = text
      .slice(at + 2, close)
      .replace(/^-|-$/g, '')
      .trim()
    const [name = ''] = inner.split(/\s/, 1)
    tags.push({
      kind: second === '%' ? 'tag' : 'output',
      start: at,
      end: close + 2,
      name: second === '%' ? name : '',
      rest: second === '%' ? inner.slice(name.length).trim() : inner,
    })
    at = close + 1
  }
  return tags
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const index = text.indexOf(mark, from)
  return index === -1 ? Number.POSITIVE_INFINITY : index
}
