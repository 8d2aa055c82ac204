import type { Json } from '../platform.ts'

/** Without imports but of types: the clock and the alarms of `infra/` read the same names. */
export const clockNamespace = 'Broadsheet'
/** Keeps several deployments of one account apart. */
export const clockDimension = 'Clock'

/** `FeedsBehind`: feeds not rendered yet. `RunsStanding`: open runs that had not moved for two minutes. */
export type ClockMetric = 'FeedsBehind' | 'RunsStanding'

/**
 * The fields by which CloudWatch makes metrics of a log line (embedded metric format), so that
 * nothing is called and nothing granted.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricFields(
  clock: string,
  at: Date,
  counts: Record<ClockMetric, number>,
): Record<string, Json> {
  return {
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: clockNamespace,
          Dimensions: [[clockDimension]],
          Metrics: Object.keys(counts).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    [clockDimension]: clock,
    ...counts,
  }
}
