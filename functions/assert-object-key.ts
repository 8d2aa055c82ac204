/**
 * Refuses a key that `ObjectStore` does not take: what could leave the folder, collide on another
 * file system or be read in two ways. Throws an `Error`: our own code made the key.
 */
export function assertObjectKey(key: string): void {
  const fault = faultOf(key)
  if (fault)
    throw new Error(`The object key ${JSON.stringify(key.slice(0, 120))} is refused: ${fault}.`)
}

function faultOf(key: string): string | undefined {
  if (key === '') return 'it is empty'
  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(key)) return 'it has a control character or a backslash'
  if (!key.isWellFormed()) return 'it has half a surrogate pair'
  if (key !== key.normalize('NFC')) return 'it is not in NFC'
  const size = (text: string) => new TextEncoder().encode(text).length
  if (size(key) > 900) return 'it is over 900 bytes'
  for (const segment of key.split('/')) {
    if (segment === '' || segment === '.' || segment === '..')
      return `it has the segment \`${segment}\``
    if (size(segment) > 255) return 'a segment is over 255 bytes'
  }
  return undefined
}
