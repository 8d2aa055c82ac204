import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createApiKey } from '../functions/api-keys.ts'
import { dynamodbRecordStore } from '../functions/aws/dynamodb-record-store.ts'
import { ServiceError } from '../functions/errors.ts'

/**
 * `node infra/create-key.ts TABLE NAME`: makes an API key that may do everything, with the caller's
 * own AWS credentials, and prints it. A deployment has no key before; none stands in a template.
 */
const [table, name] = process.argv.slice(2)
if (!table || !name) {
  process.stderr.write('Usage: node infra/create-key.ts TABLE NAME\n')
  process.exit(2)
}
const now = () => new Date()
const client = new DynamoDBClient({})
try {
  const { key } = await createApiKey(
    { records: dynamodbRecordStore({ client, table, now }), now },
    name,
  )
  process.stdout.write(`${key}\n`)
} catch (error) {
  if (!(error instanceof ServiceError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
