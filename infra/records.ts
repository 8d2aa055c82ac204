import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { tableAttributes, tableIndex } from '../functions/aws/table.ts'
import { objectKeys } from '../functions/keys.ts'
import { defaultSettings } from '../functions/settings/settings.ts'

export interface RecordsProps {
  /** What becomes of posts and readers when the stack is deleted. @default RETAIN */
  removal?: RemovalPolicy
  /** For so many days mails stay in the outbox: as long as it is known who got what. @default 400 */
  outboxDays?: number
}

/** What must outlive everything else: the bucket of posts, feeds and pages, and the one table. */
export class Records extends Construct {
  readonly bucket: Bucket
  readonly table: TableV2

  constructor(scope: Construct, id: string, props: RecordsProps = {}) {
    super(scope, id)
    const removalPolicy = props.removal ?? RemovalPolicy.RETAIN

    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      // Nothing else takes mails out of it, which are readers' data.
      lifecycleRules: [
        {
          id: 'Outbox',
          prefix: objectKeys.outboxOf(),
          expiration: Duration.days(props.outboxDays ?? defaultSettings.keep.runsDays),
        },
      ],
      removalPolicy,
    })
    // The L2's `eventBridgeEnabled` would bring a custom resource with a function of its own.
    const bucket = this.bucket.node.defaultChild as CfnBucket
    bucket.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }

    const string = (name: string) => ({ name, type: AttributeType.STRING })
    this.table = new TableV2(this, 'Table', {
      partitionKey: string(tableAttributes.partition),
      sortKey: string(tableAttributes.sort),
      billing: Billing.onDemand(),
      timeToLiveAttribute: tableAttributes.expires,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      globalSecondaryIndexes: [
        {
          indexName: tableIndex,
          partitionKey: string(tableAttributes.indexPartition),
          sortKey: string(tableAttributes.indexSort),
        },
      ],
      removalPolicy,
    })
  }
}
