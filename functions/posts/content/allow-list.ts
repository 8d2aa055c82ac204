/** Elements that come out under their own name. */
const kept =
  'p br hr h1 h2 h3 h4 h5 h6 blockquote pre code kbd samp var em strong b i u s del ins mark small ' +
  'sub sup q cite abbr dfn time a img figure figcaption ul ol li dl dt dd table caption thead tbody ' +
  'tfoot tr th td div span section details summary ruby rt rp bdi bdo wbr'

/** Elements that come out under another name, because mails and readers know that one. */
const renamed: Record<string, string> = {
  article: 'div',
  aside: 'div',
  header: 'div',
  footer: 'div',
  main: 'div',
  nav: 'div',
  hgroup: 'div',
  address: 'div',
  center: 'div',
  strike: 's',
  tt: 'code',
  acronym: 'abbr',
  menu: 'ul',
  dir: 'ul',
  listing: 'pre',
}

/** What an element is called in the output; elements without a name here lose their tags. */
export const outputNames: ReadonlyMap<string, string> = new Map([
  ...kept.split(' ').map((name): [string, string] => [name, name]),
  ...Object.entries(renamed),
])

/** Elements that go with everything in them. */
export const dropped: ReadonlySet<string> = new Set(
  (
    'script style template title head noembed noframes xmp plaintext object embed applet svg canvas ' +
    'button select option optgroup datalist textarea output progress meter map frameset dialog ' +
    'annotation annotation-xml portal fencedframe'
  ).split(' '),
)

/** They end a paragraph when a browser meets them in one, so none may stand in a `p`. */
export const blockElements: ReadonlySet<string> = new Set(
  (
    'p hr h1 h2 h3 h4 h5 h6 blockquote pre figure figcaption ul ol li dl dt dd table div section ' +
    'details summary caption thead tbody tfoot tr th td'
  ).split(' '),
)

/** What may stand directly in a part of a table; a browser moves everything else out of it. */
export const tableContent: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['table', new Set(['caption', 'thead', 'tbody', 'tfoot', 'tr'])],
  ['thead', new Set(['tr'])],
  ['tbody', new Set(['tr'])],
  ['tfoot', new Set(['tr'])],
  ['tr', new Set(['th', 'td'])],
])

export const tableParts: ReadonlySet<string> = new Set(
  'caption thead tbody tfoot tr th td'.split(' '),
)

export type Check = (value: string) => string | undefined

const upTo =
  (limit: number, least = 1): Check =>
  (value) => {
    const number = Number(/^\s*\d{1,6}/.exec(value)?.[0] ?? Number.NaN)
    return number >= least && number <= limit ? String(number) : undefined
  }
const oneOf =
  (...words: string[]): Check =>
  (value) => {
    const word = value.trim().toLowerCase()
    return words.includes(word) ? word : undefined
  }
const matching =
  (pattern: RegExp): Check =>
  (value) =>
    pattern.test(value.trim()) ? value.trim() : undefined
const text: Check = (value) => value.slice(0, 1000)
const flag: Check = () => ''
const align = oneOf('left', 'right', 'center', 'justify')
const span = upTo(1000)

const everywhere: Record<string, Check> = {
  title: text,
  lang: matching(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/),
  dir: oneOf('ltr', 'rtl', 'auto'),
}

/**
 * Attributes by element, each with the check that gives the value to write. `href`, `src` and `id`
 * are not among them: they are rewritten, not kept.
 */
const own: Record<string, Record<string, Check>> = {
  img: { alt: text, width: upTo(10_000), height: upTo(10_000) },
  td: { colspan: span, rowspan: span, align },
  th: { colspan: span, rowspan: span, align, scope: oneOf('row', 'col', 'rowgroup', 'colgroup') },
  p: { align },
  div: { align },
  h1: { align },
  h2: { align },
  h3: { align },
  h4: { align },
  h5: { align },
  h6: { align },
  ol: {
    start: matching(/^-?\d{1,6}$/),
    reversed: flag,
    type: (value) => (/^[1aAiI]$/.test(value) ? value : undefined),
  },
  li: { value: matching(/^-?\d{1,6}$/) },
  code: { class: matching(/^language-[\w+#.-]{1,40}$/) },
  pre: { class: matching(/^language-[\w+#.-]{1,40}$/) },
  section: { class: oneOf('footnotes') },
  sup: { class: oneOf('footnote-ref') },
  a: { class: oneOf('footnote-backref') },
  time: { datetime: matching(/^[\dTZ:.+\-P HMSWYD]{1,40}$/) },
  del: { datetime: matching(/^[\dTZ:.+\- ]{1,40}$/) },
  ins: { datetime: matching(/^[\dTZ:.+\- ]{1,40}$/) },
  details: { open: flag },
}

/** Checks by output name and attribute, an element's own before the general ones. */
export const attributeChecks: ReadonlyMap<string, ReadonlyMap<string, Check>> = new Map(
  [...new Set(outputNames.values())].map((name) => [
    name,
    new Map(Object.entries({ ...everywhere, ...own[name] })),
  ]),
)

/** Whether an element's style or attributes keep it from being seen at all. */
export function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (attributes.hidden !== undefined) return true
  const { style, width, height } = attributes
  if (style !== undefined && hidingStyle.test(style.slice(0, 2000))) return true
  // Pixels that count readers.
  return (name === 'img' || name === 'iframe') && (isTiny(width) || isTiny(height))
}

const hidingStyle =
  /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0*)?\s*(?:;|!|$)|font-size\s*:\s*0(?:px|em|rem|pt|%)?\s*(?:;|!|$)|mso-hide\s*:\s*all)/i

const isTiny = (length: string | undefined) =>
  length !== undefined && /^\s*0*[01](?:px)?\s*$/.test(length)

/** The alignment that an element is given by style or attribute. */
export function alignmentOf(name: string, attributes: Readonly<Record<string, string>>) {
  if (name === 'center') return 'center'
  const styled = /(?:^|;)\s*text-align\s*:\s*(left|right|center|justify)\b/i.exec(
    attributes.style?.slice(0, 2000) ?? '',
  )?.[1]
  return styled?.toLowerCase() ?? attributes.align
}
