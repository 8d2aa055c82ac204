import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { owner } from '../../functions/api/api-keys.ts'
import { createApp } from '../../functions/app.ts'
import { everyRecord } from '../../functions/aws/every-record.ts'
import { type AwsPlatform, awsPlatform } from '../../functions/aws/platform.ts'
import { jsonLog } from '../../functions/json-log.ts'
import type { StoredRecord } from '../../functions/platform.ts'
import { configuration } from '../configuration.ts'
import type { Connection } from '../connection.ts'
import type { CliError } from '../exit.ts'
import type { GlobalOptions } from '../options.ts'
import { awsRefusal, throwRefusal } from './aws-refusal.ts'
import { type DeployedStack, readStack } from './read-stack.ts'

/** A deployed service as this process works on it. */
export interface OpenStack {
  stack: DeployedStack
  platform: AwsPlatform
  connection: Connection
  /** What `everyRecord` of the table gives. */
  everyRecord(): AsyncIterable<StoredRecord[]>
}

/**
 * The service in this process on the records, objects and queues of a stack: the same routes, by the
 * caller's own AWS credentials. What they may do in AWS is all that is asked: whoever may read and
 * write the table could make themselves a key, so none is asked for and none is left behind. Jobs
 * that a request makes are done by the deployed functions.
 *
 * @throws CliError what `readStack` and `awsRefusal` say
 */
export async function onStack(options: GlobalOptions, name: string): Promise<Connection> {
  return (await openStack(options, name)).connection
}

/** What `onStack` gives, with what it stands on. */
export async function openStack(
  options: Pick<GlobalOptions, 'config'>,
  name: string,
): Promise<OpenStack> {
  const client = new CloudFormationClient({})
  const stack = await readStack(client, name).catch(throwRefusal)
  client.destroy()

  // Nothing of this machine's own service: its mail server and base URL are not the stack's.
  const settings = configuration(options, undefined, { BROADSHEET_BASE_URL: stack.address })
  const lines = jsonLog({ level: 'warn' })
  let refused: CliError | undefined
  const platform = await awsPlatform({
    table: stack.table,
    bucket: stack.bucket,
    queues: stack.queues,
    settings,
    ...(stack.configurationSet ? { configurationSet: stack.configurationSet } : {}),
    log: {
      ...lines,
      error: (event, error, fields) => {
        refused = awsRefusal(error)
        if (!refused) lines.error(event, error, fields)
      },
    },
  }).catch(throwRefusal)
  const app = createApp(platform)
  const connection: Connection = {
    kind: 'stack',
    fetch: async (path, init = {}) => {
      refused = undefined
      const response = await app.request(path, init, owner)
      // The service says that something failed on its side; here the caller is the one to mend it.
      if (response.status === 500 && refused) throw refused
      return response
    },
    close: async () => {},
  }
  const { table } = stack
  const every = () => everyRecord({ client: new DynamoDBClient({}), table, now: platform.now })
  return { stack, platform, connection, everyRecord: every }
}
