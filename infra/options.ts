import type { Settings } from '../functions/settings.ts'
import type { ServiceStackProps } from './service-stack.ts'

/** What `-c name=value` may choose. */
const known = [
  'stack',
  'edge',
  'zoneId',
  'zoneName',
  'certificate',
  'alarms',
  'destroyData',
  'sendEvents',
  'mailWorkers',
  'jobsMemory',
] as const

type Option = (typeof known)[number]

/**
 * The deployment that `broadsheet.yaml` and the options describe; an option that is not given has its
 * default. `context` reads one.
 *
 * @throws Error that names an option whose value is none it can have, with those it can
 */
export function stackProps(
  context: (name: Option) => unknown,
  { site, mail }: Pick<Settings, 'site' | 'mail'>,
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
  const host = new URL(site.baseUrl).hostname
  const mailDomain = mail.from?.replace(/>\s*$/, '').split('@').pop()
  return {
    stackName: given.stack ?? 'Broadsheet',
    edge: oneOf('edge', 'none', 'cloudfront') === 'none' ? 'none' : 'cloudfront',
    ...(host === '127.0.0.1' || host === 'localhost' ? {} : { domain: host }),
    ...(given.zoneId && given.zoneName
      ? { hostedZone: { id: given.zoneId, name: given.zoneName } }
      : {}),
    ...(given.certificate ? { certificateArn: given.certificate } : {}),
    ...(mailDomain ? { mailDomain } : {}),
    ...(given.alarms ? { alarmAddress: given.alarms } : {}),
    destroyData: oneOf('destroyData', 'true', 'false') === 'true',
    sendEvents: oneOf('sendEvents', 'true', 'false') !== 'false',
    ...size('mailWorkers', 2, 1000),
    ...size('jobsMemory', 512, 10_240),
  }
}
