import { assertObjectKey } from '../assert-object-key.ts'

/** The folder under an object store's own, for what is no object. No key leads into it. */
export const internalFolder = '.broadsheet'

/**
 * Throws for keys that the port refuses, and for those under `.broadsheet/`, where the store keeps
 * its own files.
 */
export function assertFileKey(key: string): void {
  assertObjectKey(key)
  const first = key.split('/', 1)[0]
  if (first?.toLowerCase() === internalFolder) {
    throw new Error(
      `The object key ${JSON.stringify(key)} is refused: it begins with ${internalFolder}.`,
    )
  }
}

/** Whether a path found in a folder is a key. */
export function isFileKey(path: string): boolean {
  try {
    assertFileKey(path)
    return true
  } catch {
    return false
  }
}
