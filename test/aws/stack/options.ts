import { describe, expect, it } from 'vitest'
import { readSettings } from '../../../functions/settings/settings-file.ts'
import { stackProps } from '../../../infra/options.ts'
import { resources, templateOf } from '../../support/aws/stack-template.ts'

const propsOf = (options: Record<string, unknown>, yaml = '', region?: string) =>
  stackProps((name) => options[name], readSettings({ yaml }), region)
const certificate = 'arn:aws:acm:us-east-1:111122223333:certificate/c'

describe('what a deployment is told', () => {
  it('is nothing at all, to begin with', () => {
    expect(propsOf({})).toEqual({
      stackName: 'Broadsheet',
      edge: 'cloudfront',
      destroyData: false,
      sendEvents: true,
      outboxDays: 400,
    })
  })

  it('comes from `broadsheet.yaml`: the domain and the sender', () => {
    const yaml = `
site: {baseUrl: https://news.example}
mail: {from: News <news@mail.news.example>}
keep: {runsDays: 90}`
    expect(propsOf({}, yaml)).toMatchObject({
      domain: 'news.example',
      mailDomain: 'mail.news.example',
      outboxDays: 90,
    })
  })

  it.each<[Record<string, unknown>, object]>([
    [{ stack: 'Other' }, { stackName: 'Other' }],
    [{ edge: 'none' }, { edge: 'none' }],
    [
      { zoneId: 'Z1', zoneName: 'news.example' },
      { hostedZone: { id: 'Z1', name: 'news.example' } },
    ],
    [{ certificate }, { certificateArn: certificate }],
    [{ identity: 'existing' }, { identity: 'existing' }],
    [{ dmarc: 'none' }, { dmarc: 'none' }],
    [{ alarms: 'ops@news.example' }, { alarmAddress: 'ops@news.example' }],
    [{ destroyData: 'true' }, { destroyData: true }],
    [{ destroyData: true }, { destroyData: true }],
    [{ sendEvents: 'false' }, { sendEvents: false }],
    [
      { mailWorkers: '20', jobsMemory: '2048' },
      { mailWorkers: 20, jobsMemory: 2048 },
    ],
  ])('comes from `-c`: %j', (options, props) => {
    expect(propsOf(options)).toMatchObject(props)
  })

  it.each<[Record<string, unknown>, string]>([
    [{ edge: 'off' }, 'edge is none or cloudfront'],
    [{ destroyData: 'yes' }, 'destroyData is true or false'],
    [{ sendEvents: '0' }, 'sendEvents is true or false'],
    [{ mailWorkers: '1' }, 'mailWorkers is a number from 2 to 1000'],
    [{ mailWorkers: 'many' }, 'mailWorkers is a number from 2 to 1000'],
    [{ jobsMemory: '64' }, 'jobsMemory is a number from 512 to 10240'],
    [{ zoneId: 'Z1' }, 'go together'],
    [{ identity: 'mine' }, 'identity is existing'],
    [{ dmarc: 'reject' }, 'dmarc is none'],
    [{ certificate: 'arn:aws:acm:eu-central-1:111122223333:certificate/c' }, 'of us-east-1'],
  ])('is refused when it cannot be: %j', (options, message) => {
    expect(() => propsOf(options)).toThrow(message)
  })

  describe('goes with the zone that is given', () => {
    const zone = { zoneId: 'Z1', zoneName: 'example.com' }
    const site = (host: string) => `site: {baseUrl: https://${host}}`
    const sender = (domain: string) => `mail: {from: news@${domain}}`

    it.each([
      ['the site lies outside it', site('news.example.org'), 'which does not lie in the zone'],
      ['the site’s name only ends alike', site('badexample.com'), '-c certificate=…'],
      ['the sender lies outside it', sender('example.org'), 'leave zoneId and zoneName out'],
    ])('and is refused when %s', (_, yaml, message) => {
      expect(() => propsOf(zone, yaml)).toThrow(message)
      expect(() => propsOf({}, yaml)).not.toThrow()
    })

    it.each<[string, Record<string, unknown>, string]>([
      ['a name below it', {}, `${site('news.example.com')}\n${sender('mail.example.com')}`],
      ['its own name', {}, `${site('example.com')}\n${sender('Example.com')}`],
      ['a site that has no CloudFront', { edge: 'none' }, site('news.example.org')],
      ['a sender that SES knows already', { identity: 'existing' }, sender('example.org')],
    ])('and takes %s', (_, options, yaml) => {
      expect(propsOf({ ...zone, ...options }, yaml)).toHaveProperty('hostedZone')
    })

    it('and is refused in a region in which no certificate for CloudFront can be made', () => {
      const yaml = site('news.example.com')
      expect(() => propsOf(zone, yaml, 'eu-central-1')).toThrow(
        /eu-central-1, .* -c certificate=arn:aws:acm:us-east-1:/,
      )
      for (const [options, region] of [
        [zone, 'us-east-1'],
        [zone, undefined],
        [{ ...zone, certificate }, 'eu-central-1'],
        [{ ...zone, edge: 'none' }, 'eu-central-1'],
        [{}, 'eu-central-1'],
      ] as const) {
        expect(() => propsOf(options, yaml, region)).not.toThrow()
      }
      expect(() => propsOf(zone, sender('example.com'), 'eu-central-1')).not.toThrow()
    })
  })

  it('sizes what works on a run', () => {
    const sizesOf = (template: ReturnType<typeof templateOf>) => ({
      workers: resources(template, 'AWS::Lambda::EventSourceMapping').flatMap(
        ([, { Properties }]) =>
          (Properties as { ScalingConfig?: { MaximumConcurrency: number } }).ScalingConfig
            ?.MaximumConcurrency ?? [],
      ),
      memory: resources(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) =>
        id.startsWith('ComputeJobs')
          ? (Properties as unknown as { MemorySize: number }).MemorySize
          : [],
      ),
    })
    expect(sizesOf(templateOf())).toEqual({ workers: [5], memory: [1024] })
    const large = templateOf({ mailWorkers: 20, jobsMemory: 2048 })
    expect(sizesOf(large)).toEqual({ workers: [20], memory: [2048] })
  })
})
