import { describe, expect, it } from 'vitest'
import { doorwayNames } from '../../../bin/bundle.js'
import type { DeployedBundles } from '../../support/aws/deployed-bundles.ts'
import { functionOf, policies } from '../../support/aws/gated-servers.ts'
import { grantsOf } from '../../support/aws/iam-policy.ts'
import { nameOfGrant } from '../../support/aws/permission-gate.ts'

/** Grants that Lambda uses itself, with the function's role, before and after the function runs. */
const usedByLambda = [
  // Writes what the function logs.
  /^logs:(CreateLogGroup|CreateLogStream|PutLogEvents) on \*$/,
  // Polls its queue, beside the receiving and deleting that the tests do in its place; CDK grants
  // them together.
  /^sqs:(ChangeMessageVisibility|GetQueueAttributes|GetQueueUrl) on \S+:(Queues(Urgent|Work|Mail)|MailEvents)$/,
]

/** What is granted was needed: to be told after the journeys, which use all of it. */
export function grantsInUse(deployed: () => DeployedBundles): void {
  describe('what is granted', () => {
    it.each(doorwayNames)('to %s, is used in these tests, or by Lambda itself', (name) => {
      const used = deployed().servers.gate.usedBy(name)
      const granted = policies
        .ofFunction(functionOf[name])
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(grantsOf)
        .map(nameOfGrant)
      const idle = granted.filter((grant) => !used.has(grant))
      expect(idle.filter((grant) => !usedByLambda.some((known) => known.test(grant)))).toEqual([])
    })
  })
}
