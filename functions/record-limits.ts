import type { RecordKey } from './platform.ts'

/** Bytes of UTF-8 that an item may have, keys included: DynamoDB's 400 kB less what its names and index take. */
const maxItemBytes = 350_000
const maxKeyBytes = 1000

/**
 * Refuses an item that `RecordStore` does not take, alike on every platform. Throws an `Error`: what
 * people send is bounded long before.
 */
export function assertRecord(key: RecordKey, json: string): void {
  const size = (text: string) => Buffer.byteLength(text)
  for (const part of [key.partition, key.sort]) {
    if (part === '' || size(part) > maxKeyBytes || !part.isWellFormed()) {
      throw new Error(
        `The record key ${JSON.stringify(part.slice(0, 80))} is empty, over ${maxKeyBytes} bytes or no well-formed Unicode.`,
      )
    }
  }
  const total = size(key.partition) + size(key.sort) + size(json)
  if (total > maxItemBytes) {
    throw new Error(
      `The record ${key.partition} / ${key.sort} has ${total} bytes, more than ${maxItemBytes}.`,
    )
  }
}
