import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { readSettings } from '../../functions/settings/settings-file.ts'
import { settingsJsonSchema } from '../../functions/settings/settings-json-schema.ts'

const rootFile = (name: string) => new URL(`../../${name}`, import.meta.url)

type Node = {
  description?: string
  properties?: Record<string, Node>
  additionalProperties?: Node | boolean
  anyOf?: Node[]
  items?: Node
}

/** Every key with its dotted path; `*` stands for a slug or an item. */
function keysOf(node: Node, path = ''): [string, Node][] {
  const inner = node.anyOf?.find((one) => one.properties ?? one.additionalProperties ?? one.items)
  if (inner) return keysOf(inner, path)
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([name, child]) => {
      const here = path ? `${path}.${name}` : name
      return [[here, child] as [string, Node], ...keysOf(child, here)]
    })
  }
  if (typeof node.additionalProperties === 'object')
    return keysOf(node.additionalProperties, `${path}.*`)
  return node.items ? keysOf(node.items, `${path}.*`) : []
}

describe('broadsheet.schema.json', () => {
  // `npx vitest run test/settings -u` writes it again after a change of the schema.
  it('says what the service checks', async () => {
    await expect(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../broadsheet.schema.json',
    )
  })

  it('is named in the first line of broadsheet.yaml, which the service can read', () => {
    const yaml = readFileSync(rootFile('broadsheet.yaml'), 'utf8')
    expect(yaml.split('\n')[0]).toBe('# yaml-language-server: $schema=./broadsheet.schema.json')
    expect(readSettings({ yaml }).site.title).toBe('Broadsheet')
  })

  it('keeps the commented examples of broadsheet.yaml usable', () => {
    const yaml = readFileSync(rootFile('broadsheet.yaml'), 'utf8')
    const all = yaml.replace(/^(\s*)# ?(?=\s*[\w]+:(\s|$))/gm, '$1')
    expect(Object.keys(load(all) as object)).toEqual(['site', 'categories', 'mail', 'digests'])
    expect(readSettings({ yaml: all }).categories.printing?.title).toBe('Printing history')
  })
})

describe('docs/configuration.md', () => {
  it('explains every key in the words of the schema', () => {
    const docs = readFileSync(rootFile('docs/configuration.md'), 'utf8')
    const missing = keysOf(settingsJsonSchema() as Node)
      .map(([path, { description }]) => [path.replaceAll('*', '…'), description ?? ''] as const)
      .filter(([path, text]) => !docs.includes(`\`${path}\``) || !docs.includes(text))
    expect(missing).toEqual([])
  })
})
