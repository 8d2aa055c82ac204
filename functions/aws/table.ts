/** The shape of the one table, without imports: `infra/` reads it, and the record store's rows are of it. */

/** Names of its attributes, short because each counts towards an item's size and price. */
export const tableAttributes = {
  partition: 'p',
  sort: 's',
  value: 'j',
  count: 'n',
  version: 'v',
  indexPartition: 'ip',
  indexSort: 'is',
  expires: 'x',
} as const

/** The index over the second key. */
export const tableIndex = 'by-second-key'
