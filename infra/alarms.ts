import { Duration, Stack } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { type ClockMetric, clockDimension, clockNamespace } from '../functions/aws/clock-metrics.ts'
import { mostAge } from '../functions/aws/most-age.ts'
import type { Compute } from './compute.ts'
import type { Mail } from './mail.ts'
import type { Queues } from './queues.ts'

export interface AlarmsProps {
  compute: Compute
  queues: Queues
  mail: Mail
  /** Who is told; absent, alarms only show in the console. */
  address?: string
}

/** What a person should hear of. Each names its page of docs/operate: symptom, look, do. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { compute, queues, mail, address }: AlarmsProps) {
    super(scope, id)
    const topic = address ? new Topic(this, 'Topic', { enforceSSL: true }) : undefined
    if (address) topic?.addSubscription(new EmailSubscription(address))
    // With a policy of its own, a topic lets nobody publish whom it does not name, alarms included.
    topic?.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    )

    const alarm = (name: string, metric: IMetric, threshold: number, periods = 1) => {
      const made = new Alarm(this, name, {
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: `docs/operate/${pageOf(name)}.md`,
      })
      if (topic) made.addAlarmAction(new SnsAction(topic))
    }

    const period = Duration.minutes(5)
    alarm('DeadLetters', queues.dead.metricApproximateNumberOfMessagesVisible({ period }), 1)
    alarm('DeadEvents', mail.eventsDead.metricApproximateNumberOfMessagesVisible({ period }), 1)
    const { urgent, work } = queues.lanes
    alarm('UrgentAge', urgent.metricApproximateAgeOfOldestMessage({ period }), mostAge.urgent)
    alarm('WorkAge', work.metricApproximateAgeOfOldestMessage({ period }), mostAge.work)
    for (const [name, doorway] of [
      ['WebErrors', compute.web],
      ['JobErrors', compute.jobs],
      ['ClockErrors', compute.clock],
      ['FeedbackErrors', compute.feedback],
    ] as const) {
      alarm(name, doorway.metricErrors({ period }), 3, 2)
    }
    // SES begins to review an account at 5 % bounces and 0.1 % complaints: this is half and four fifths
    // of it, where a run stops by itself, too (`mail.guard`).
    // https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
    const reputation = (metricName: string) =>
      new Metric({
        namespace: 'AWS/SES',
        metricName,
        period: Duration.hours(1),
        statistic: 'Average',
      })
    alarm('BounceRate', reputation('Reputation.BounceRate'), 0.025)
    alarm('ComplaintRate', reputation('Reputation.ComplaintRate'), 0.0008)
    // Counted by the clock at each tick: the lowest of five minutes says that it never was better.
    const counted = (metricName: ClockMetric) =>
      new Metric({
        namespace: clockNamespace,
        metricName,
        dimensionsMap: { [clockDimension]: compute.clock.functionName },
        period,
        statistic: 'Minimum',
      })
    alarm('StaleFeed', counted('FeedsBehind'), 1, 2)
    alarm('LateRun', counted('RunsStanding'), 1, 6)
  }
}

function pageOf(name: string) {
  return name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
}
