// Writes objects until it is killed; prints the key of each once it was answered.
import { fileObjectStore } from '../../functions/local/file-object-store.ts'

const [folder = '', round = ''] = process.argv.slice(2)
const objects = fileObjectStore({ folder })
for (let i = 0; ; i += 16) {
  await Promise.all(
    Array.from({ length: 16 }, async (_, n) => {
      const key = `posts/${round}-${i + n}/body.json`
      const body = Buffer.from(JSON.stringify({ key, text: 'x'.repeat(3000) }))
      await objects.put(key, body, { contentType: 'application/json' })
      process.stdout.write(`${key}\n`)
    }),
  )
}
