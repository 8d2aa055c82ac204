/** Fields by name in small letters; of several of a name, the first counts. */
export type FieldGroup = ReadonlyMap<string, string>

const mostLines = 5000

/**
 * Groups of fields with blank lines between them, as the machine-readable part of a report has them
 * (RFC 3464 §2.1): first those of the message, then those of each recipient. Lines that are no
 * fields are left out.
 */
export function fieldGroups(bytes: Uint8Array): FieldGroup[] {
  const groups: Map<string, string>[] = []
  let group = new Map<string, string>()
  let name: string | undefined
  const text = new TextDecoder().decode(bytes)
  for (const line of text.split(/\r?\n/, mostLines)) {
    if (line.trim() === '') {
      if (group.size > 0) groups.push(group)
      group = new Map()
      name = undefined
    } else if (/^[ \t]/.test(line)) {
      if (name !== undefined) group.set(name, `${group.get(name)} ${line.trim()}`.slice(0, 2000))
    } else {
      const [, key, value = ''] = /^([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:(.*)$/.exec(line) ?? []
      const isNew = key !== undefined && !group.has(key.toLowerCase())
      name = isNew ? key.toLowerCase() : undefined
      if (name !== undefined) group.set(name, value.trim().slice(0, 2000))
    }
  }
  if (group.size > 0) groups.push(group)
  return groups
}

/** The address of a field such as `rfc822; <ada@example.org>`; other kinds of addresses have none. */
export function firstAddress(value: string | undefined): string | undefined {
  const [, type, rest] = /^(?:\s*([\w-]+)\s*;)?(.*)$/s.exec(value ?? '') ?? []
  if (type !== undefined && !/^(rfc822|utf-8)$/i.test(type)) return undefined
  const address = rest?.trim().replace(/^<(.*)>$/s, '$1')
  return address?.includes('@') && address.length <= 320 ? address : undefined
}
