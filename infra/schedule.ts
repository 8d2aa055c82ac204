import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { objectKeys } from '../functions/keys.ts'

export interface TickingProps {
  clock: IFunction
  bucket: Bucket
  /** Takes a tick or a notice that could not be delivered. */
  dead: Queue
  /** The lane that takes notices of files in the inbox. */
  work: Queue
}

/** What sets things going by itself: the minute, and a file dropped into the inbox. */
export class Ticking extends Construct {
  constructor(scope: Construct, id: string, props: TickingProps) {
    super(scope, id)
    new Schedule(this, 'Minute', {
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      // The next tick catches up: no use in a day of retries, which is the default.
      target: new LambdaInvoke(props.clock, {
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
        deadLetterQueue: props.dead,
      }),
    })
    // A pattern cannot say "this prefix, but not that" of one key: the alternatives of a field are
    // joined by "or". Nor can a filter of the lane, whose operators are fewer, and which deletes what
    // it does not know without a trace. So a refused file is told of once more, and `jobs` leaves it
    // alone (jobs.lambda.ts); whatever else lands in the lane ends in the dead letters, and is seen.
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    new Rule(this, 'Inbox', {
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [props.bucket.bucketName] },
          object: { key: [{ prefix: objectKeys.inbox }] },
        },
      },
      targets: [new SqsQueue(props.work, { deadLetterQueue: props.dead })],
    })
  }
}
