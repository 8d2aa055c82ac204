import type { Settings } from '../functions/settings/settings.ts'
import { edgeRegion, liesIn, wrongRegion } from './domain-name.ts'
import type { ServiceStackProps } from './service-stack.ts'

/** What `-c name=value` may choose. */
const known = [
  'stack',
  'edge',
  'zoneId',
  'zoneName',
  'certificate',
  'identity',
  'dmarc',
  'alarms',
  'destroyData',
  'sendEvents',
  'mailWorkers',
  'jobsMemory',
] as const

type Option = (typeof known)[number]

/**
 * The deployment that `broadsheet.yaml` and the options describe; an option that is not given has its
 * default. `context` reads one; `region` is where the stack goes, as far as that is known.
 *
 * @throws Error that names an option whose value is none it can have, or that does not go with the
 * others, and the way out: what passes here shall deploy
 */
export function stackProps(
  context: (name: Option) => unknown,
  { site, mail, keep }: Pick<Settings, 'site' | 'mail' | 'keep'>,
  region?: string,
): ServiceStackProps & { stackName: string } {
  const given = Object.fromEntries(
    known.flatMap((name) => {
      const value = context(name)
      return value === undefined || value === '' ? [] : [[name, String(value)]]
    }),
  ) as Partial<Record<Option, string>>
  const oneOf = (name: Option, ...values: readonly string[]) => {
    const value = given[name]
    if (value === undefined || values.includes(value)) return value
    throw new Error(`\`-c ${name}=${value}\`: ${name} is ${values.join(' or ')}.`)
  }
  const size = (name: Option, least: number, most: number) => {
    const value = given[name]
    if (value === undefined) return {}
    if (/^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) {
      return { [name]: Number(value) }
    }
    throw new Error(`\`-c ${name}=${value}\`: ${name} is a number from ${least} to ${most}.`)
  }
  if ((given.zoneId === undefined) !== (given.zoneName === undefined)) {
    throw new Error('`-c zoneId=…` and `-c zoneName=…` go together.')
  }
  const edge = oneOf('edge', 'none', 'cloudfront') === 'none' ? 'none' : 'cloudfront'
  const ownsIdentity = oneOf('identity', 'existing') === undefined
  const host = new URL(site.baseUrl).hostname
  const domain = host === '127.0.0.1' || host === 'localhost' ? undefined : host
  const mailDomain = mail.from?.replace(/>\s*$/, '').split('@').pop()
  const { zoneId, zoneName, certificate } = given
  if (certificate && !/^arn:[\w-]+:acm:us-east-1:/.test(certificate)) {
    throw new Error(
      `\`-c certificate=${certificate}\`: CloudFront takes only certificates of us-east-1. Make one there (AWS Certificate Manager) and give its ARN.`,
    )
  }
  if (zoneName) {
    const hands = 'leave zoneId and zoneName out, and the output names the records to make'
    if (domain && edge !== 'none' && !liesIn(domain, zoneName)) {
      throw new Error(
        `\`site.baseUrl\` names ${domain}, which does not lie in the zone ${zoneName}. Name the zone that it lies in; or make a certificate in us-east-1, give its ARN as \`-c certificate=…\`, ${hands}.`,
      )
    }
    if (mailDomain && ownsIdentity && !liesIn(mailDomain, zoneName)) {
      throw new Error(
        `\`mail.from\` is of ${mailDomain}, which does not lie in the zone ${zoneName}. Name the zone that it lies in; or ${hands}.`,
      )
    }
    if (domain && edge !== 'none' && !certificate && region && region !== edgeRegion) {
      throw new Error(wrongRegion(region))
    }
  }
  return {
    stackName: given.stack ?? 'Broadsheet',
    edge,
    ...(domain ? { domain } : {}),
    ...(zoneId && zoneName ? { hostedZone: { id: zoneId, name: zoneName } } : {}),
    ...(certificate ? { certificateArn: certificate } : {}),
    ...(mailDomain ? { mailDomain } : {}),
    ...(ownsIdentity ? {} : { identity: 'existing' as const }),
    ...(oneOf('dmarc', 'none') ? { dmarc: 'none' as const } : {}),
    ...(given.alarms ? { alarmAddress: given.alarms } : {}),
    destroyData: oneOf('destroyData', 'true', 'false') === 'true',
    sendEvents: oneOf('sendEvents', 'true', 'false') !== 'false',
    outboxDays: keep.runsDays,
    ...size('mailWorkers', 2, 1000),
    ...size('jobsMemory', 512, 10_240),
  }
}
