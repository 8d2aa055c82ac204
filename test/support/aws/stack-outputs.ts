import type { ScratchAwsPlatform } from './aws-platform.ts'

/** The outputs of a stack whose table, bucket and queues are the scratch platform's. */
export function outputsOf(
  { queues, table, bucket }: Pick<ScratchAwsPlatform, 'queues' | 'table' | 'bucket'>,
  { address, configurationSet }: { address: string; configurationSet?: string },
): Record<string, string> {
  // The emulator names itself by a host that only its own clients reach.
  const reachable = (url: string) => url.replace(/\/\/[^/:]+/, '//127.0.0.1')
  return {
    SiteUrl: address,
    TableName: table,
    BucketName: bucket,
    UrgentQueueUrl: reachable(queues.urgent),
    WorkQueueUrl: reachable(queues.work),
    MailQueueUrl: reachable(queues.mail),
    DeadQueueUrl: reachable(queues.dead),
    // Events come by the `feedback` doorway in tests; these only have to be there.
    EventQueueUrl: reachable(queues.work),
    DeadEventQueueUrl: reachable(queues.dead),
    ...(configurationSet ? { ConfigurationSetName: configurationSet } : {}),
  }
}
