// Writes records until it is killed; prints the sort key of each once it was answered.
import { openDatabase } from '../../functions/local/database.ts'
import { sqliteRecordStore } from '../../functions/local/sqlite-record-store.ts'

const [file = '', round = ''] = process.argv.slice(2)
const records = sqliteRecordStore({ database: openDatabase(file), now: () => new Date() })
for (let i = 0; ; i += 16) {
  await Promise.all(
    Array.from({ length: 16 }, async (_, n) => {
      const sort = `${round}-${i + n}`
      await records.put({ partition: 'p', sort, value: { sort, text: 'x'.repeat(500) } })
      await records.add({ partition: 'count', sort: round }, 1)
      process.stdout.write(`${sort}\n`)
    }),
  )
}
