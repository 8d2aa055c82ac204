import { Duration } from 'aws-cdk-lib'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Lane } from '../functions/platform.ts'

/** A handler ends within so many seconds (docs/decisions: the queue is a hint). */
export const handlerSeconds = 60

/** One queue a lane, and one for what was received too often. */
export class Queues extends Construct {
  readonly lanes: Readonly<Record<Lane, Queue>>
  readonly dead: Queue

  constructor(scope: Construct, id: string) {
    super(scope, id)
    // Poison jobs end here after five receives, visible and redrivable, instead of costing for ever.
    this.dead = new Queue(this, 'Dead', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    const lane = (name: string) =>
      new Queue(this, name, {
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        // Six times the function's time-out, as Lambda asks of the queues it polls:
        // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibilityTimeout: Duration.seconds(6 * handlerSeconds),
        retentionPeriod: Duration.days(4),
        deadLetterQueue: { queue: this.dead, maxReceiveCount: 5 },
      })
    this.lanes = { urgent: lane('Urgent'), work: lane('Work'), mail: lane('Mail') }
  }
}
