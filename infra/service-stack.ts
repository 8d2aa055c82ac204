import {
  CfnOutput,
  type CfnResource,
  CfnRule,
  Fn,
  RemovalPolicy,
  Stack,
  type StackProps,
} from 'aws-cdk-lib'
import {
  Certificate,
  CertificateValidation,
  type ICertificate,
} from 'aws-cdk-lib/aws-certificatemanager'
import { CfnEventSourceMapping, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { type IPublicHostedZone, PublicHostedZone } from 'aws-cdk-lib/aws-route53'
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledged.ts'
import { Alarms } from './alarms.ts'
import { Compute, type ComputeProps } from './compute.ts'
import { edgeRegion, wrongRegion } from './domain-name.ts'
import { Mail, type MailProps } from './mail.ts'
import { Queues } from './queues.ts'
import { Records } from './records.ts'
import { Ticking } from './schedule.ts'
import { Site } from './site.ts'

export interface ServiceStackProps extends StackProps {
  /** `none` leaves CloudFront out: the web function then serves everything. @default 'cloudfront' */
  edge?: 'cloudfront' | 'none'
  /** The site's own domain; with `hostedZone`, certificate and DNS records are made. */
  domain?: string
  hostedZone?: { id: string; name: string }
  /**
   * A certificate for `domain` in us-east-1, where CloudFront looks for it. Needed with a domain
   * unless the stack itself lies there and has the zone.
   */
  certificateArn?: string
  /** The domain of `mail.from`. */
  mailDomain?: string
  /** Whether the sender's identity is there already, and whether its DMARC is; see `MailProps`. */
  identity?: MailProps['identity']
  dmarc?: MailProps['dmarc']
  alarmAddress?: string
  /** Deletes posts and readers with the stack. @default false */
  destroyData?: boolean
  /** For so many days mails stay in the outbox. @default 400 */
  outboxDays?: number
  /** Leaves SES's `Send` events out. @default true */
  sendEvents?: boolean
  /** How large a run is worked on; see `ComputeProps`. */
  mailWorkers?: number
  jobsMemory?: number
  code?: ComputeProps['code']
}

/** The whole service. Deploys without a parameter, a domain or a sender. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceStackProps = {}) {
    super(scope, id, props)
    const addressParameter = `/${id}/address`

    const zone = props.hostedZone
      ? PublicHostedZone.fromPublicHostedZoneAttributes(this, 'Zone', {
          hostedZoneId: props.hostedZone.id,
          zoneName: props.hostedZone.name,
        })
      : undefined
    const records = new Records(this, 'Records', {
      removal: props.destroyData ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      ...(props.outboxDays === undefined ? {} : { outboxDays: props.outboxDays }),
    })
    const queues = new Queues(this, 'Queues')
    const mail = new Mail(this, 'Mail', {
      ...(props.mailDomain ? { domain: props.mailDomain } : {}),
      ...(zone ? { zone } : {}),
      ...(props.identity ? { identity: props.identity } : {}),
      ...(props.dmarc ? { dmarc: props.dmarc } : {}),
      ...(props.sendEvents === undefined ? {} : { sendEvents: props.sendEvents }),
    })
    const certificate = props.edge === 'none' ? undefined : this.certificateFor(props, zone)
    const { domain } = props
    // A name without a certificate cannot be served: the site then stays at CloudFront's own.
    const ownAddress = domain && certificate ? `https://${domain}` : undefined
    // The random part of the stack's id: known to the account, and in no template.
    const edgeMark = Fn.select(2, Fn.split('/', this.stackId))
    const compute = new Compute(this, 'Compute', {
      records,
      queues,
      addressParameter,
      ...(ownAddress ? { address: ownAddress } : {}),
      ...(props.edge === 'none' ? {} : { edgeMark }),
      ...(props.mailWorkers === undefined ? {} : { mailWorkers: props.mailWorkers }),
      ...(props.jobsMemory === undefined ? {} : { jobsMemory: props.jobsMemory }),
      ...(props.code ? { code: props.code } : {}),
      ...(mail.configurationSet
        ? { configurationSet: mail.configurationSet.configurationSetName }
        : {}),
    })
    mail.grantSend(compute.jobs)
    for (const asking of [compute.web, compute.jobs, compute.clock]) mail.grantQuestions(asking)
    compute.feedback.addEventSource(
      new SqsEventSource(mail.events, { batchSize: 10, reportBatchItemFailures: true }),
    )
    new Ticking(this, 'Ticking', {
      clock: compute.clock,
      bucket: records.bucket,
      dead: queues.dead,
      work: queues.lanes.work,
    })
    new Alarms(this, 'Alarms', {
      compute,
      queues,
      mail,
      ...(props.alarmAddress ? { address: props.alarmAddress } : {}),
    })

    const webUrl = compute.web.addFunctionUrl({ authType: FunctionUrlAuthType.NONE })
    let address = webUrl.url
    let site: Site | undefined
    if (props.edge !== 'none') {
      site = new Site(this, 'Site', {
        bucket: records.bucket,
        webUrl,
        edgeMark,
        ...(domain && certificate ? { domain, certificate } : {}),
        ...(zone ? { zone } : {}),
      })
      address = ownAddress ?? site.address
      if (domain && certificate && !zone) {
        new CfnOutput(this, 'SiteDns', {
          value: `${domain} CNAME ${site.distribution.distributionDomainName}`,
          description: 'DNS record to make: leads the domain to the site',
        })
      }
    }
    const parameter = new StringParameter(this, 'Address', {
      parameterName: addressParameter,
      stringValue: address,
      description: 'Where the site is reached; the functions read it where they cannot be told',
    })
    // Nothing that starts by itself does so before there is an address to name.
    for (const part of this.node.findAll()) {
      if (part instanceof CfnEventSourceMapping || part instanceof CfnSchedule) {
        part.addResourceDependency(parameter.node.defaultChild as CfnResource)
      }
    }

    acknowledge(this, {
      bucket: records.bucket,
      clock: compute.clock,
      ...(site ? { distribution: site.distribution } : {}),
    })

    new CfnOutput(this, 'SiteUrl', { value: address })
    new CfnOutput(this, 'Next', {
      value: `npx broadsheet keys create me --stack ${this.stackName}`,
      description: 'Makes the first key, with your own AWS credentials',
    })
    // What `--stack` reads (cli/stack/read-stack.ts).
    new CfnOutput(this, 'TableName', { value: records.table.tableName })
    new CfnOutput(this, 'BucketName', { value: records.bucket.bucketName })
    for (const [name, queue] of [
      ['Urgent', queues.lanes.urgent],
      ['Work', queues.lanes.work],
      ['Mail', queues.lanes.mail],
      ['Dead', queues.dead],
      ['Event', mail.events],
      ['DeadEvent', mail.eventsDead],
    ] as const) {
      new CfnOutput(this, `${name}QueueUrl`, { value: queue.queueUrl })
    }
    if (mail.configurationSet) {
      new CfnOutput(this, 'ConfigurationSetName', {
        value: mail.configurationSet.configurationSetName,
      })
    }
  }

  private certificateFor(
    { domain, certificateArn }: ServiceStackProps,
    zone: IPublicHostedZone | undefined,
  ): ICertificate | undefined {
    if (!domain) return undefined
    if (certificateArn) {
      return Certificate.fromCertificateArn(this, 'Certificate', certificateArn)
    }
    if (!zone) return undefined
    // For a template whose region was not known when it was made (`stackProps` refuses the others).
    new CfnRule(this, 'CertificateRegion', {
      assertions: [
        {
          assert: Fn.conditionEquals(this.region, edgeRegion),
          assertDescription: wrongRegion('another region'),
        },
      ],
    })
    return new Certificate(this, 'Certificate', {
      domainName: domain,
      validation: CertificateValidation.fromDns(zone),
    })
  }
}
