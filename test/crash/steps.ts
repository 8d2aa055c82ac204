import { objectPrefixes, recordKeys } from '../../functions/keys.ts'
import type { RecordKey } from '../../functions/platform.ts'

/**
 * Names of persistent steps: an operation and what it is done to, as `functions/keys.ts` names it
 * (`put ledgerRow`), a prefix of objects (`put public/`), a kind of job (`enqueue plan`) or of mail.
 */

interface Family {
  name: string
  partition: RegExp
  sort?: RegExp
  /** Characters that are fixed: the most exact family names a key. */
  exactness: number
}

type Maker = (...parts: string[]) => string | RecordKey

const anything = '\u0001'

/** Read off the keys themselves, so a new family has a name here as soon as it is used. */
const families: Family[] = Object.entries(recordKeys).map(([name, member]) => {
  const made =
    typeof member === 'function'
      ? (member as unknown as Maker)(anything, anything, anything)
      : member
  const key: { partition: string; sort?: string } =
    typeof made === 'string' ? { partition: made } : made
  return {
    name,
    partition: pattern(key.partition),
    ...(key.sort === undefined ? {} : { sort: pattern(key.sort) }),
    exactness: fixed(key.partition) + (key.sort === undefined ? 0 : 1 + fixed(key.sort)),
  }
})
families.sort((a, b) => b.exactness - a.exactness)

/** Every family of items that `functions/keys.ts` knows: what only names their partition is none. */
export const familyNames: readonly string[] = families
  .filter(
    (one) =>
      one.sort ||
      !families.some(({ sort, partition }) => sort && partition.source === one.partition.source),
  )
  .map(({ name }) => name)

/** The family of a record's key; one that no family makes is named by the key itself. */
export function familyOf({ partition, sort }: RecordKey): string {
  const family = families.find(
    (one) => one.partition.test(partition) && (one.sort?.test(sort) ?? true),
  )
  return family?.name ?? `${partition} ${sort}`
}

/** Where an object lies. */
export function prefixOf(key: string): string {
  return objectPrefixes.find((prefix) => key.startsWith(prefix)) ?? key
}

function pattern(text: string): RegExp {
  const source = text
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    // Numbers are padded with noughts.
    .replaceAll(/0*\u0001/g, '.+')
  return new RegExp(`^${source}$`, 's')
}

function fixed(text: string): number {
  return text.replaceAll(/0*\u0001/g, '').length
}
