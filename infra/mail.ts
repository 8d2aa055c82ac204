import { CfnOutput, Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { type IPublicHostedZone, TxtRecord } from 'aws-cdk-lib/aws-route53'
import {
  ConfigurationSet,
  EmailIdentity,
  EmailSendingEvent,
  EventDestination,
  Identity,
} from 'aws-cdk-lib/aws-ses'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { handlerSeconds } from './queues.ts'

export interface MailProps {
  /** The domain of `mail.from`; absent, mails stay in the outbox and no identity is made. */
  domain?: string
  /** The zone of that domain, if Route 53 has it: its records are then made, not printed. */
  zone?: IPublicHostedZone
  /** Without `Send` events an unclear answer ends as `unknown` more often; it saves a little. */
  sendEvents?: boolean
}

/** The sender, and the way on which SES tells what became of a mail: topic → queue → `feedback`. */
export class Mail extends Construct {
  readonly configurationSet?: ConfigurationSet
  readonly events: Queue
  readonly eventsDead: Queue
  private readonly identity?: EmailIdentity
  private readonly domain?: string

  constructor(scope: Construct, id: string, props: MailProps) {
    super(scope, id)
    this.eventsDead = new Queue(this, 'EventsDead', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    this.events = new Queue(this, 'Events', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * handlerSeconds),
      deadLetterQueue: { queue: this.eventsDead, maxReceiveCount: 5 },
    })
    if (!props.domain) return
    this.domain = props.domain

    const topic = new Topic(this, 'Topic', { enforceSSL: true })
    topic.addSubscription(new SqsSubscription(this.events, { rawMessageDelivery: true }))
    this.configurationSet = new ConfigurationSet(this, 'Set', { reputationMetrics: true })
    this.configurationSet.addEventDestination('Events', {
      destination: EventDestination.snsTopic(topic),
      events: [
        ...(props.sendEvents === false ? [] : [EmailSendingEvent.SEND]),
        EmailSendingEvent.BOUNCE,
        EmailSendingEvent.COMPLAINT,
        EmailSendingEvent.REJECT,
        EmailSendingEvent.DELIVERY_DELAY,
      ],
    })
    const mailFromDomain = `mail.${props.domain}`
    this.identity = new EmailIdentity(this, 'Identity', {
      identity: props.zone ? Identity.publicHostedZone(props.zone) : Identity.domain(props.domain),
      mailFromDomain,
      configurationSet: this.configurationSet,
    })
    this.publishDns(props.domain, mailFromDomain, props.zone)
  }

  /** Lets a function send as the sender, and nothing else. */
  grantSend(sender: IFunction): void {
    if (!this.domain || !this.configurationSet) return
    const arnOf = (resource: string, resourceName: string) =>
      this.events.stack.formatArn({ service: 'ses', resource, resourceName })
    sender.addToRolePolicy(
      new PolicyStatement({
        actions: ['ses:SendRawEmail'],
        // In the sandbox the recipient's identity is checked as well as the sender's, so the sender
        // is held by the condition: https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
        resources: [
          arnOf('identity', '*'),
          arnOf('configuration-set', this.configurationSet.configurationSetName),
        ],
        conditions: { StringLike: { 'ses:FromAddress': `*@${this.domain}` } },
      }),
    )
  }

  /** Lets a function ask what SES allows now: whoever drives a run goes by it. */
  grantQuestions(asking: IFunction): void {
    if (!this.domain) return
    // Both are about the account and take no resource:
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
    asking.addToRolePolicy(
      new PolicyStatement({
        actions: ['ses:GetSendQuota', 'ses:GetIdentityVerificationAttributes'],
        resources: ['*'],
      }),
    )
  }

  private publishDns(domain: string, mailFrom: string, zone: IPublicHostedZone | undefined) {
    const dmarc = `v=DMARC1; p=none; rua=mailto:dmarc@${domain}`
    if (zone) {
      new TxtRecord(this, 'Dmarc', { zone, recordName: '_dmarc', values: [dmarc] })
      return
    }
    const records = this.identity?.dkimRecords ?? []
    records.forEach(({ name, value }, position) => {
      new CfnOutput(this, `Dkim${position + 1}`, {
        value: `${name} CNAME ${value}`,
        description: 'DNS record to make: signs your mail (DKIM)',
      })
    })
    new CfnOutput(this, 'MailFromMx', {
      value: `${mailFrom} MX 10 feedback-smtp.${this.events.stack.region}.amazonses.com`,
      description: 'DNS record to make: returns bounces to SES',
    })
    new CfnOutput(this, 'MailFromSpf', {
      value: `${mailFrom} TXT "v=spf1 include:amazonses.com -all"`,
      description: 'DNS record to make: lets SES send for you (SPF)',
    })
    new CfnOutput(this, 'DmarcRecord', {
      value: `_dmarc.${domain} TXT "${dmarc}"`,
      description: 'DNS record to make: tells receivers what to do with forgeries (DMARC)',
    })
  }
}
