import type { Template } from 'aws-cdk-lib/assertions'
import { dump } from 'js-yaml'

const width = 110

/**
 * A template, much like YAML, for people: each resource under its name and type, without the hashes that
 * change with code and place, and references as text (`${RecordsTable.Arn}`).
 */
export function readable(template: Template): string {
  const { Resources = {}, Outputs = {} } = template.toJSON() as Record<
    string,
    Record<string, Record<string, unknown>>
  >
  const parts = Object.entries(Resources).map(([id, resource]) => {
    const { Type, Properties = {}, Metadata: _, UpdateReplacePolicy: __, ...rest } = resource
    return [`${short(id)} ${Type}`, plain({ ...(Properties as object), ...rest })] as const
  })
  const outputs = Object.entries(Outputs).map(
    ([id, { Value }]) => [`output ${short(id)}`, plain(Value)] as const,
  )
  const sorted = [...parts, ...outputs].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    '# Written by `npx vitest run --project aws test/aws/stack.test.ts -u`.',
    ...sorted.flatMap(([name, value]) => ['', ...lines(value, `${name}: `, '')]),
    '',
  ].join('\n')
}

/** On one line what fits there; of the rest each part by itself. */
function lines(value: unknown, start: string, indent: string): string[] {
  const flat = dump(value, { flowLevel: 0, lineWidth: -1, noRefs: true }).trimEnd()
  const fits = !flat.includes('\n') && indent.length + start.length + flat.length <= width
  if (fits) return [`${indent}${start}${flat}`]
  if (value === null || typeof value !== 'object') {
    const [first = '', ...rest] = String(value).trim().split('\n')
    if (rest.length === 0) return [`${indent}${start}${flat}`]
    return [`${indent}${start}|`, ...[first, ...rest].map((line) => `${indent}  ${line}`)]
  }
  const below = `${indent}  `
  const inner = Array.isArray(value)
    ? value.flatMap((item) => lines(item, '- ', below))
    : Object.entries(value).flatMap(([name, item]) => lines(item, `${name}: `, below))
  return [`${indent}${start}`.trimEnd(), ...inner]
}

function plain(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(plain)
  if (typeof part === 'string') return short(part)
  if (part === null || typeof part !== 'object') return part
  const reference = referenceOf(part as Record<string, unknown>)
  if (reference !== undefined) return reference
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, plain(value)]))
}

/** Ids end with eight hex digits that say where a part stands in its tree, some of them twice. */
export function short(text: string): string {
  return text
    .replace(/^([A-Z]\w*?[A-Za-z0-9])(?:[0-9A-F]{8}){1,2}$/, '$1')
    .replace(/\b[0-9a-f]{64}\b/g, '…')
}

/** A function of CloudFormation as text. */
function referenceOf(part: Record<string, unknown>): string | undefined {
  const [[name, value] = []] = Object.entries(part)
  if (Object.keys(part).length !== 1) return undefined
  const list = value as unknown[]
  switch (name) {
    case 'Ref':
      return `\${${text(value)}}`
    case 'Fn::GetAtt':
      return `\${${list.map(text).join('.')}}`
    case 'Fn::Join':
      return (list[1] as unknown[]).map(text).join(text(list[0]))
    case 'Fn::Select':
      return `part ${list[0]} of ${text(list[1])}`
    case 'Fn::Split':
      return `${text(list[1])} by ${text(list[0])}`
    default:
      return undefined
  }
}

function text(inner: unknown): string {
  if (typeof inner === 'string') return short(inner)
  return referenceOf((inner ?? {}) as Record<string, unknown>) ?? JSON.stringify(inner)
}
