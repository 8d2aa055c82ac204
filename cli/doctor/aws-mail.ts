import {
  GetAccountCommand,
  type GetAccountCommandOutput,
  GetEmailIdentityCommand,
  type GetEmailIdentityCommandOutput,
  type SESv2Client,
} from '@aws-sdk/client-sesv2'
import { senderDomain } from '../../functions/mail/headers.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { type Check, fault, ok, warning } from './check.ts'
import { checkDmarc, domainAndParents, type TextRecords } from './mail.ts'

/**
 * What SES allows the account. Without a sender it keeps nothing from working yet.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
 */
export async function checkSesAccount(
  client: SESv2Client,
  { mail, site }: Pick<Settings, 'mail' | 'site'>,
): Promise<Check[]> {
  const account = await client.send(new GetAccountCommand({}))
  const blocks = mail.from ? fault : warning
  return [
    sendingCheck(account, blocks),
    sandboxCheck(account, site.baseUrl, blocks),
    quotaCheck(account, blocks),
    planCheck(account),
  ]
}

type Weight = typeof fault

function sendingCheck(
  { EnforcementStatus, SendingEnabled }: GetAccountCommandOutput,
  blocks: Weight,
): Check {
  if (EnforcementStatus === 'SHUTDOWN') {
    return blocks(
      'SES',
      'AWS has stopped this account from sending.',
      'Answer the case that AWS opened: aws support describe-cases',
    )
  }
  if (SendingEnabled === false) {
    return blocks(
      'SES',
      'Sending is switched off for the account.',
      'aws sesv2 put-account-sending-attributes --sending-enabled',
    )
  }
  if (EnforcementStatus === 'PROBATION') {
    return warning(
      'SES',
      'The account is under review for its bounces or complaints.',
      'Stop all runs until you know why: npx broadsheet runs pause',
    )
  }
  return ok('SES', 'the account may send')
}

function sandboxCheck(
  { ProductionAccessEnabled, Details }: GetAccountCommandOutput,
  site: string,
  blocks: Weight,
): Check {
  if (ProductionAccessEnabled) return ok('sandbox', 'the account is out of it')
  const message = 'The account is in it: mail goes only to addresses that are verified in SES.'
  if (Details?.ReviewDetails?.Status === 'PENDING') {
    return blocks('sandbox', message, 'Wait: AWS is looking at your request.')
  }
  return blocks(
    'sandbox',
    message,
    `aws sesv2 put-account-details --production-access-enabled --mail-type MARKETING --website-url ${site} --use-case-description "A newsletter with double opt-in; bounces and complaints stop all mail to an address."`,
  )
}

function quotaCheck({ SendQuota = {} }: GetAccountCommandOutput, blocks: Weight): Check {
  const { Max24HourSend = 0, SentLast24Hours = 0, MaxSendRate = 0 } = SendQuota
  const askFor = 'Ask for a higher one in the console: Service Quotas → Amazon SES → Sending quota.'
  if (Max24HourSend === 0 || MaxSendRate === 0) {
    return blocks('quota', 'SES lets this account send nothing.', askFor)
  }
  // -1 stands for no limit.
  if (Max24HourSend < 0) return ok('quota', `${MaxSendRate} a second, no limit a day`)
  const used = `${SentLast24Hours.toLocaleString('en')} of ${Max24HourSend.toLocaleString('en')} mails of the last 24 hours are used`
  if (SentLast24Hours >= Max24HourSend) {
    return warning('quota', `${used}: runs wait until there is room again.`, askFor)
  }
  return ok('quota', `${used}, ${MaxSendRate} a second`)
}

function planCheck({ PricingAttributes }: GetAccountCommandOutput): Check {
  const { CurrentPlan, NextPlan } = PricingAttributes ?? {}
  if (CurrentPlan === undefined || CurrentPlan === 'NONE') return ok('plan', 'à la carte')
  if (NextPlan === 'NONE') return ok('plan', `${CurrentPlan}, à la carte from next month on`)
  return warning(
    'plan',
    `SES bills by its plan ${CurrentPlan}; à la carte costs less for plain mail.`,
    'aws sesv2 put-account-pricing-attributes --plan NONE',
  )
}

/** What the checks of the sender go by. */
export interface SenderQuestion {
  client: SESv2Client
  settings: Pick<Settings, 'mail'>
  dns: TextRecords
  /** The command that deploys the stack. */
  deploy: string
}

/**
 * The sender as SES sees it: verified, signing, with a return path of its own; and DMARC by DNS.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html
 */
export async function checkSender(question: SenderQuestion): Promise<Check[]> {
  const { client, settings, dns, deploy } = question
  const domain = senderDomain(settings)
  if (!domain) {
    return [
      warning(
        'sender',
        'None is set: mails stay under outbox/ in the bucket.',
        `Set \`mail.from\` in broadsheet.yaml, then: ${deploy}`,
      ),
    ]
  }
  const [found, dmarc] = await Promise.all([identityOf(client, domain), checkDmarc(domain, dns)])
  if (!found) {
    return [
      fault('sender', `SES does not know ${domain}, the domain of \`mail.from\`.`, deploy),
      dmarc,
    ]
  }
  const { name, identity } = found
  const covers = name === domain ? '' : `, and so is ${domain} below it`
  return [
    identity.VerifiedForSendingStatus
      ? ok('sender', `${name} is verified${covers}`)
      : fault(
          'sender',
          `SES has not verified ${name} yet: mails stay under outbox/ in the bucket.`,
          dnsRecords(identity, name),
        ),
    dkimCheck(identity, name),
    returnPathCheck(identity, name, await client.config.region()),
    dmarc,
  ]
}

/**
 * The identity that SES sends as: the domain's own, or that of the nearest domain above it.
 * https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
 */
async function identityOf(
  client: SESv2Client,
  domain: string,
): Promise<{ name: string; identity: GetEmailIdentityCommandOutput } | undefined> {
  for (const name of domainAndParents(domain)) {
    try {
      const identity = await client.send(new GetEmailIdentityCommand({ EmailIdentity: name }))
      return { name, identity }
    } catch (error) {
      if ((error as Error).name !== 'NotFoundException') throw error
    }
  }
  return undefined
}

function dnsRecords({ DkimAttributes }: GetEmailIdentityCommandOutput, domain: string): string {
  const records = (DkimAttributes?.Tokens ?? []).map(
    (token) => `${token}._domainkey.${domain} CNAME ${token}.dkim.amazonses.com`,
  )
  return `Make these DNS records: ${records.join(' · ')}`
}

function dkimCheck(identity: GetEmailIdentityCommandOutput, domain: string): Check {
  const { Status, SigningEnabled } = identity.DkimAttributes ?? {}
  if (Status === 'SUCCESS' && SigningEnabled) return ok('DKIM', `SES signs for ${domain}`)
  if (Status === 'SUCCESS' || Status === 'NOT_STARTED') {
    return fault(
      'DKIM',
      `Mail of ${domain} is not signed: signing is switched off.`,
      `aws sesv2 put-email-identity-dkim-attributes --email-identity ${domain} --signing-enabled`,
    )
  }
  if (Status === 'FAILED') {
    return fault(
      'DKIM',
      'SES has given up looking for the records.',
      `${dnsRecords(identity, domain)} Then: aws sesv2 put-email-identity-dkim-attributes --email-identity ${domain} --signing-enabled`,
    )
  }
  return fault('DKIM', 'SES does not see the records yet.', dnsRecords(identity, domain))
}

function returnPathCheck(
  { MailFromAttributes }: GetEmailIdentityCommandOutput,
  domain: string,
  region: string,
): Check {
  const { MailFromDomain = `mail.${domain}`, MailFromDomainStatus } = MailFromAttributes ?? {}
  if (MailFromDomainStatus === 'SUCCESS') return ok('MAIL FROM', MailFromDomain)
  const records = `Make these DNS records: ${MailFromDomain} MX 10 feedback-smtp.${region}.amazonses.com · ${MailFromDomain} TXT "v=spf1 include:amazonses.com -all"`
  const again = `aws sesv2 put-email-identity-mail-from-attributes --email-identity ${domain} --mail-from-domain ${MailFromDomain}`
  // Without it mail still leaves, with a return path of amazonses.com that DMARC does not count.
  return warning(
    'MAIL FROM',
    `SES does not see the records of ${MailFromDomain}.`,
    MailFromDomainStatus === 'FAILED' ? `${records} Then: ${again}` : records,
  )
}
