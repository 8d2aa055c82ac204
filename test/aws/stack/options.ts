import { describe, expect, it } from 'vitest'
import { readSettings } from '../../../functions/settings-file.ts'
import { stackProps } from '../../../infra/options.ts'
import { resources, templateOf } from '../../support/aws/stack-template.ts'

const propsOf = (options: Record<string, unknown>, yaml = '') =>
  stackProps((name) => options[name], readSettings({ yaml }))

describe('what a deployment is told', () => {
  it('is nothing at all, to begin with', () => {
    expect(propsOf({})).toEqual({
      stackName: 'Broadsheet',
      edge: 'cloudfront',
      destroyData: false,
      sendEvents: true,
    })
  })

  it('comes from `broadsheet.yaml`: the domain and the sender', () => {
    const yaml = `
site: {baseUrl: https://news.example}
mail: {from: News <news@mail.news.example>}`
    expect(propsOf({}, yaml)).toMatchObject({
      domain: 'news.example',
      mailDomain: 'mail.news.example',
    })
  })

  it.each<[Record<string, unknown>, object]>([
    [{ stack: 'Other' }, { stackName: 'Other' }],
    [{ edge: 'none' }, { edge: 'none' }],
    [
      { zoneId: 'Z1', zoneName: 'news.example' },
      { hostedZone: { id: 'Z1', name: 'news.example' } },
    ],
    [{ certificate: 'arn:c' }, { certificateArn: 'arn:c' }],
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
  ])('is refused when it cannot be: %j', (options, message) => {
    expect(() => propsOf(options)).toThrow(message)
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
