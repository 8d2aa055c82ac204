import { startAwsServers } from './aws-servers.ts'
import { deployedPolicies } from './deployed-policies.ts'
import { permissionGate } from './permission-gate.ts'
import { withSender } from './stack-template.ts'

/** The four functions by the access key that each has in tests. */
export const functionOf = {
  web: 'ComputeWeb',
  jobs: 'ComputeJobs',
  clock: 'ComputeClock',
  feedback: 'ComputeFeedback',
} as const

/** The policies of the template of a stack with a sender. */
export const policies = deployedPolicies(withSender)

/** What tables, buckets and queues of tests stand for in the template. */
const stands: readonly [RegExp, string][] = [
  [/^table-\d+$/, 'RecordsTable'],
  [/^bucket-\d+$/, 'RecordsBucket'],
  [/^q\d+-urgent$/, 'QueuesUrgent'],
  [/^q\d+-work$/, 'QueuesWork'],
  [/^q\d+-mail$/, 'QueuesMail'],
  [/^q\d+-dead$/, 'QueuesDead'],
  [/^q\d+-events$/, 'MailEvents'],
]

/**
 * The servers of `startAwsServers` behind a gate that lets each function do what the synthesized
 * template allows its role, and nothing else. `more` are servers of other services.
 */
export async function startGatedServers(more: Readonly<Record<string, string>> = {}) {
  const callers = Object.fromEntries(
    Object.entries(functionOf).map(([key, name]) => [
      key,
      {
        role: `arn:aws:sts::123456789012:assumed-role/${name}`,
        statements: [...policies.ofFunction(name), ...policies.ofResources],
      },
    ]),
  )
  let gate: Awaited<ReturnType<typeof permissionGate>> | undefined
  const servers = await startAwsServers(async (behind) => {
    gate = await permissionGate({
      upstreams: { ...behind, ...more },
      callers,
      nameOf: (name) => stands.find(([pattern]) => pattern.test(name))?.[1] ?? name,
    })
    return gate.url
  })
  if (!gate) throw new Error('the servers stand without their gate')
  const { close, takeFaults, usedBy, url } = gate
  return {
    ...servers,
    gate: { url, takeFaults, usedBy },
    close: async () => {
      await close()
      await servers.close()
    },
  }
}
