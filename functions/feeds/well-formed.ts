import { findIllegal } from './guard.ts'

const declaration = '<?xml version="1.0" encoding="utf-8"?>'

// A tag of either kind, from its `<`; an attribute's value holds no `<` and is quoted.
const tag =
  /<(?:\/([\w:.-]+)\s*>|([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>)/y
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const badReference = /&(?!(?:amp|lt|gt|quot|apos|#x26|#x3C|#x3E);)/

/**
 * What keeps a document from being well-formed, namespace-correct XML of the plain kind that feeds
 * are, and where; `undefined` when nothing does. One pass, so that every document is checked before
 * it is published.
 *
 * Stricter than XML where a feed has no need: elements balanced under one root, attributes quoted
 * and never twice, prefixes declared on the root, legal characters only, and no document type,
 * CDATA, comment, further instruction or reference beyond those that the renderers write.
 * (htmlparser2 mends unbalanced tags even in XML mode, so it proves nothing.)
 */
export function findXmlFault(xml: string): string | undefined {
  if (!xml.startsWith(declaration)) return 'no XML declaration'
  const illegal = findIllegal(xml)
  if (illegal !== -1) return `illegal character at ${illegal}`

  const open: string[] = []
  let prefixes: ReadonlySet<string> | undefined
  let at = declaration.length
  while (at < xml.length) {
    const next = xml.indexOf('<', at)
    const text = xml.slice(at, next === -1 ? xml.length : next)
    if (open.length === 0 && text.trim() !== '') return `text outside the root at ${at}`
    if (badReference.test(text) || text.includes(']]>')) return `unescaped text at ${at}`
    if (next === -1) break

    tag.lastIndex = next
    const match = tag.exec(xml)
    if (!match) return `malformed tag at ${next}`
    const [whole, closed, opened = '', attributes = '', isEmpty] = match
    if (closed !== undefined) {
      if (open.pop() !== closed) return `\`</${closed}>\` closes another element at ${next}`
    } else {
      if (prefixes && open.length === 0) return `a second root at ${next}`
      const names = attributeNames(attributes)
      if (!names) return `faulty attribute at ${next}`
      prefixes ??= declaredPrefixes(names)
      const declared = prefixes
      if (![opened, ...names].every((name) => hasDeclaredPrefix(name, declared))) {
        return `undeclared prefix at ${next}`
      }
      if (!isEmpty) open.push(opened)
      if (open.length > 20) return `nested too deep at ${next}`
    }
    at = next + whole.length
  }
  if (open.length > 0) return `\`<${open.at(-1)}>\` is not closed`
  return prefixes ? undefined : 'no root'
}

/** `undefined` when a name stands twice or a value holds a bare `&`. */
function attributeNames(attributes: string): string[] | undefined {
  if (attributes === '') return []
  const names: string[] = []
  for (const [, name = '', double, single] of attributes.matchAll(attribute)) {
    if (names.includes(name) || badReference.test(double ?? single ?? '')) return undefined
    names.push(name)
  }
  return names
}

function declaredPrefixes(rootAttributes: readonly string[]): ReadonlySet<string> {
  const declared = rootAttributes.filter((name) => name.startsWith('xmlns:'))
  return new Set(['xml', 'xmlns', ...declared.map((name) => name.slice('xmlns:'.length))])
}

function hasDeclaredPrefix(name: string, prefixes: ReadonlySet<string>) {
  const [prefix = '', ...rest] = name.split(':')
  return rest.length === 0 || (rest.length === 1 && rest[0] !== '' && prefixes.has(prefix))
}
