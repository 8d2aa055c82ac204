import type { Template } from 'aws-cdk-lib/assertions'
import { dump } from 'js-yaml'

/**
 * A template as YAML for people: resources by name, without the hashes that change with code and
 * place, and references as text (`${RecordsTable.Arn}`).
 */
export function readable(template: Template): string {
  const { Resources, Outputs } = template.toJSON() as Record<string, Record<string, unknown>>
  const plain = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(plain)
    if (typeof part === 'string') return short(part)
    if (part === null || typeof part !== 'object') return part
    const reference = referenceOf(part as Record<string, unknown>)
    if (reference !== undefined) return reference
    return Object.fromEntries(
      Object.entries(part)
        .filter(([name]) => !['Metadata', 'UpdateReplacePolicy'].includes(name))
        .map(([name, value]) => [name, plain(value)]),
    )
  }
  const shown = (parts: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.entries(parts).map(([id, part]) => [short(id), plain(part)]))
  const text = dump(
    { Resources: shown(Resources), Outputs: shown(Outputs) },
    { sortKeys: true, noRefs: true, lineWidth: 110, flowLevel: 5 },
  )
  return `# Written by \`npx vitest run --project aws test/aws/stack.test.ts -u\`.\n${text}`
}

/** Ids end with eight hex digits that say where a part stands in its tree. */
function short(text: string): string {
  return text
    .replace(/\b([A-Z][A-Za-z0-9]*?[A-Za-z])[0-9A-F]{8}(?=$|[^0-9A-Za-z])/g, '$1')
    .replace(/^([A-Z][A-Za-z0-9]*?[a-z])[0-9A-F]{8}([A-Z][A-Za-z0-9]*?)$/, '$1$2')
    .replace(/\b[0-9a-f]{64}\b/g, '…')
}

function referenceOf(part: Record<string, unknown>): string | undefined {
  const [[name, value] = []] = Object.entries(part)
  if (Object.keys(part).length !== 1) return undefined
  const text = (inner: unknown): string =>
    typeof inner === 'string'
      ? short(inner)
      : (referenceOf((inner ?? {}) as Record<string, unknown>) ?? JSON.stringify(inner))
  if (name === 'Ref') return `\${${text(value)}}`
  if (name === 'Fn::GetAtt') return `\${${(value as string[]).map(text).join('.')}}`
  if (name === 'Fn::Join') {
    const [between, parts] = value as [string, unknown[]]
    return parts.map(text).join(between)
  }
  if (name === 'Fn::Select') {
    const [which, from] = value as [number, unknown]
    return `\${part ${which} of ${text(from)}}`
  }
  if (name === 'Fn::Split') {
    const [between, from] = value as [string, unknown]
    return `${text(from)} by ${between}`
  }
  return undefined
}
