import { FAILSAFE_SCHEMA, load, Type, YAMLException } from 'js-yaml'

const nothing = new Type('tag:yaml.org,2002:null', {
  kind: 'scalar',
  resolve: (data: unknown) => data === null || /^(~|null|Null|NULL|)$/.test(String(data)),
  construct: () => null,
})
const merge = new Type('tag:yaml.org,2002:merge', {
  kind: 'scalar',
  resolve: (data: unknown) => data === '<<' || data === null,
})

/**
 * Scalars stay text but for null: `title: 2024`, `010`, `12:30` and `No` keep their spelling, and a
 * date keeps the zone that it was or was not written with. Whoever reads a field knows its type.
 */
const schema = FAILSAFE_SCHEMA.extend({ implicit: [nothing, merge] })

/** What a head of YAML is, or where and why it cannot be read. `line` counts from 1 within it. */
export type YamlOutcome =
  | { status: 'read'; value: unknown }
  | { status: 'unreadable'; line: number; reason: string }

/**
 * Reads the YAML of a front matter as libyaml does: YAML 1.1, the last of two equal keys wins.
 * Heads that YAML refuses although a person sees what is meant (`title: a: b`, `title: 他说"你好"`,
 * `tags: @x`, indentation by tabs) are repaired entry by entry; only flat `key: value` lines are.
 */
export function readYaml(text: string): YamlOutcome {
  const first = attempt(text)
  if (first.status === 'read') return first
  if (/^[ ]*\t/m.test(text)) {
    const second = attempt(text.replace(/^[ \t]+/gm, (indent) => indent.replaceAll('\t', '  ')))
    if (second.status === 'read') return second
  }
  return repair(text) ?? first
}

function attempt(text: string): YamlOutcome {
  try {
    return { status: 'read', value: load(text, { schema, json: true }) }
  } catch (error) {
    // Other errors are RangeErrors of structures too deep for the stack.
    const known = error instanceof YAMLException
    return {
      status: 'unreadable',
      // What ends too early is faulted behind the last line.
      line: known ? Math.min(error.mark.line + 1, text.trimEnd().split('\n').length) : 1,
      reason: known ? error.reason : 'it is nested too deeply',
    }
  }
}

const entry = /^([^\s:#'"[\]{}&*!|>@`,?-][^:\n]{0,60}):(?:[ \t]+(.*))?$/

function repair(text: string): YamlOutcome | undefined {
  const value: Record<string, unknown> = Object.create(null)
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? ''
    let end = i + 1
    while (end < lines.length && /^([ \t-]|$)/.test(lines[end] ?? '')) end++
    if (line.trim() !== '' && !line.startsWith('#')) {
      const alone = attempt(lines.slice(i, end).join('\n'))
      const [, key, raw] = entry.exec(line) ?? []
      if (alone.status === 'read' && isMapping(alone.value)) Object.assign(value, alone.value)
      else {
        const rest = lines
          .slice(i + 1, end)
          .join('')
          .trim()
        const plain = key === undefined || rest !== '' ? undefined : plainText(raw ?? '')
        if (key === undefined || plain === undefined) {
          return alone.status === 'unreadable' ? { ...alone, line: alone.line + i } : undefined
        }
        value[key.trim()] = plain
      }
    }
    i = end
  }
  return { status: 'read', value }
}

/** The text that a person means by a scalar that YAML refuses; `undefined` where it is a structure. */
function plainText(raw: string): string | undefined {
  const text = raw.trim()
  const [open] = text
  if (open === '!' || open === '|' || open === '>') return undefined
  if (open === '[' || open === '{') {
    const close = text.indexOf(open === '[' ? ']' : '}')
    // `[News] of today` is text, `[News, ` an unfinished list, `[a: b: c]` a broken one.
    return close === -1 || close === text.length - 1 ? undefined : text
  }
  const quoted = (open === '"' || open === "'") && text.length > 1 && text.endsWith(open)
  return quoted ? text.slice(1, -1) : text
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
