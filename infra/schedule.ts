import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { FilterCriteria, FilterRule, type IFunction } from 'aws-cdk-lib/aws-lambda'
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
    // A pattern cannot say "this prefix, but not that": what lies in `inbox/rejected/` is left out
    // by the filter of the lane (`workFilters`), before any function runs.
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

/** What the work lane hands to its function: jobs, and notices of files in the inbox but not of refused ones. */
export const workFilters = [
  FilterCriteria.filter({ body: { job: { kind: FilterRule.exists() } } }),
  FilterCriteria.filter({
    body: {
      detail: { object: { key: [{ 'anything-but': { prefix: objectKeys.inboxRejected } }] } },
    },
  }),
]
