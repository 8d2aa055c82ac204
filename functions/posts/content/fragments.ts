/** Ids of posts must not meet those of the page around them, or name members of `document`. */
const prefix = 'post-'

export interface Fragments {
  /** The id to write for an element: its own with a prefix, if a link of the post leads there. */
  idOf(id: string | undefined): string | undefined
  /** The id that a link expects of the heading with this text, as many generators derive it. */
  idOfHeading(text: string): string | undefined
  /** Where `#fragment` leads; `undefined` for the empty one. */
  hrefOf(fragment: string): string | undefined
}

/**
 * Knows which parts of a post its own links lead to. Only those keep or get an id, which leaves out
 * the thousands that editors and converters write.
 */
export function findFragments(source: string, pageUrl: string): Fragments {
  const targets = new Set<string>()
  const headings = new Map<string, string>()
  for (let at = source.indexOf('#'); at !== -1; at = source.indexOf('#', at + 1)) {
    const before = source[at - 1] ?? ''
    const leadsHere = '"\'= '.includes(before) || source.startsWith(pageUrl, at - pageUrl.length)
    if (!leadsHere) continue
    const written = /^[^"'\s<>]{1,200}/.exec(source.slice(at + 1, at + 202))?.[0]
    if (written === undefined) continue
    const target = bare(written)
    targets.add(target)
    headings.set(headingKey(target), target)
  }
  const checked = (id: string) => (targets.has(id) && !/\s/.test(id) ? prefix + id : undefined)
  return {
    idOf(id) {
      if (id === undefined || id === '') return undefined
      // Written by an earlier reading, when the link to it was still seen.
      return id.startsWith(prefix) && !/\s/.test(id) ? id : checked(bare(id))
    },
    idOfHeading(text) {
      const target = headings.get(headingKey(text))
      return target === undefined ? undefined : checked(target)
    },
    hrefOf(fragment) {
      const target = bare(fragment.trim())
      return target === '' ? undefined : URL.parse(`#${prefix}${target}`, pageUrl)?.href
    },
  }
}

function bare(written: string): string {
  let id = written
  if (id.includes('%')) {
    try {
      id = decodeURIComponent(id)
    } catch {
      // Not encoded: the sign is part of the id.
    }
  }
  return id.startsWith(prefix) ? id.slice(prefix.length) : id
}

/** Generators differ in hyphens and case only. */
const headingKey = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
