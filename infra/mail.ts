import { CfnOutput, Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { CfnRecordSet, type IPublicHostedZone, MxRecord, TxtRecord } from 'aws-cdk-lib/aws-route53'
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
  /** The zone that the domain lies in, if Route 53 has it: its records are then made, not printed. */
  zone?: IPublicHostedZone
  /**
   * `existing` uses the identity that SES has already, and leaves it and its records alone: there is
   * one of a domain in an account and region, whoever made it. Absent, the stack makes it.
   */
  identity?: 'existing'
  /** `none` leaves the record of DMARC out, for a domain that has one. */
  dmarc?: 'none'
  /** Without `Send` events an unclear answer ends as `unknown` more often; it saves a little. */
  sendEvents?: boolean
}

/** The sender, and the way on which SES tells what became of a mail: topic → queue → `feedback`. */
export class Mail extends Construct {
  readonly configurationSet?: ConfigurationSet
  readonly events: Queue
  readonly eventsDead: Queue
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
    if (props.identity !== 'existing') this.makeIdentity(props.domain.toLowerCase(), props)
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
        // As it is written, too: the condition tells large letters from small ones.
        conditions: {
          StringLike: {
            'ses:FromAddress': [...new Set([this.domain, this.domain.toLowerCase()])].map(
              (domain) => `*@${domain}`,
            ),
          },
        },
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

  private makeIdentity(domain: string, { zone, dmarc }: MailProps) {
    const mailFromDomain = `mail.${domain}`
    const identity = new EmailIdentity(this, 'Identity', {
      // Never that of the zone, which may be a parent: receivers and `doctor` go by the sender's domain.
      identity: Identity.domain(domain),
      mailFromDomain,
      ...(this.configurationSet ? { configurationSet: this.configurationSet } : {}),
    })
    const mailServer = `feedback-smtp.${this.events.stack.region}.amazonses.com`
    const spf = 'v=spf1 include:amazonses.com -all'
    const policy = `v=DMARC1; p=none; rua=mailto:dmarc@${domain}`
    if (zone) {
      identity.dkimRecords.forEach(({ name, value }, position) => {
        // The names are known at deployment only: the construct would add the zone to them.
        new CfnRecordSet(this, `Dkim${position + 1}`, {
          hostedZoneId: zone.hostedZoneId,
          name,
          type: 'CNAME',
          resourceRecords: [value],
          ttl: '1800',
        })
      })
      const returnPath = { zone, recordName: `${mailFromDomain}.` }
      const values = [{ priority: 10, hostName: mailServer }]
      new MxRecord(this, 'MailFromMx', { ...returnPath, values })
      new TxtRecord(this, 'MailFromSpf', { ...returnPath, values: [spf] })
      if (dmarc !== 'none') {
        new TxtRecord(this, 'Dmarc', { zone, recordName: `_dmarc.${domain}.`, values: [policy] })
      }
      return
    }
    const record = (name: string, value: string, purpose: string) =>
      new CfnOutput(this, name, { value, description: `DNS record to make: ${purpose}` })
    identity.dkimRecords.forEach(({ name, value }, position) => {
      record(`Dkim${position + 1}`, `${name} CNAME ${value}`, 'signs your mail (DKIM)')
    })
    record('MailFromMx', `${mailFromDomain} MX 10 ${mailServer}`, 'returns bounces to SES')
    record('MailFromSpf', `${mailFromDomain} TXT "${spf}"`, 'lets SES send for you (SPF)')
    if (dmarc !== 'none') {
      record(
        'DmarcRecord',
        `_dmarc.${domain} TXT "${policy}"`,
        'tells receivers what to do with forgeries (DMARC)',
      )
    }
  }
}
