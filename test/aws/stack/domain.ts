import { describe, expect, it } from 'vitest'
import type { ServiceStackProps } from '../../../infra/service-stack.ts'
import { resources, templateOf, withSender } from '../../support/aws/stack-template.ts'

/** `mail.news.example.com MX`, or of a name that SES makes up, what it refers to. */
function recordsOf(template: ReturnType<typeof templateOf>) {
  return resources(template, 'AWS::Route53::RecordSet')
    .map(([, { Properties }]) => {
      const { Name, Type, HostedZoneId } = Properties as unknown as {
        Name: string | { 'Fn::GetAtt': [string, string] }
        Type: string
        HostedZoneId: string
      }
      expect(HostedZoneId).toBe('Z0000000000')
      return `${typeof Name === 'string' ? Name : Name['Fn::GetAtt'][1]} ${Type}`
    })
    .sort()
}

const inZone = (name: string, props: ServiceStackProps) =>
  templateOf({ hostedZone: { id: 'Z0000000000', name }, ...props })
const dkim = [1, 2, 3].map((n) => `DkimDNSTokenName${n} CNAME`)

describe('a domain and its zone', () => {
  it('have their records printed where Route 53 does not have the zone', () => {
    const names = Object.keys(withSender.toJSON().Outputs)
    expect(names.filter((name) => /Dkim|Spf|Mx|Dmarc/.test(name))).toHaveLength(6)
    withSender.resourceCountIs('AWS::Route53::RecordSet', 0)
  })

  it.each([
    ['the zone itself', 'news.example.com'],
    ['a zone above', 'example.com'],
    ['a zone written with capitals and a dot', 'Example.com.'],
  ])('make the records of the sender and the site in %s', (_, zone) => {
    const template = inZone(zone, { domain: 'news.example.com', mailDomain: 'news.example.com' })
    expect(recordsOf(template)).toEqual(
      [
        ...dkim,
        '_dmarc.news.example.com. TXT',
        'mail.news.example.com. MX',
        'mail.news.example.com. TXT',
        'news.example.com. A',
        'news.example.com. AAAA',
      ].sort(),
    )
    // Of the sender's domain, whatever the zone: `doctor` asks for it, and receivers go by it.
    template.hasResourceProperties('AWS::SES::EmailIdentity', {
      EmailIdentity: 'news.example.com',
      MailFromAttributes: { MailFromDomain: 'mail.news.example.com' },
    })
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { Aliases: ['news.example.com'] },
    })
    const printed = Object.keys(template.toJSON().Outputs)
    expect(printed.filter((name) => /Dns|Dkim|Spf|Mx|Dmarc/.test(name))).toEqual([])
  })

  it('leave the policy alone that the domain has already', () => {
    const made = inZone('news.example', { mailDomain: 'news.example', dmarc: 'none' })
    expect(recordsOf(made)).toEqual([...dkim, 'mail.news.example. MX', 'mail.news.example. TXT'])
    const printed = templateOf({ mailDomain: 'news.example', dmarc: 'none' })
    expect(Object.keys(printed.toJSON().Outputs).filter((name) => /Dmarc/.test(name))).toEqual([])
  })

  it('leave an identity alone that SES has already, with its records, and still send as it', () => {
    for (const template of [
      templateOf({ mailDomain: 'news.example', identity: 'existing' }),
      inZone('news.example', { mailDomain: 'news.example', identity: 'existing' }),
    ]) {
      template.resourceCountIs('AWS::SES::EmailIdentity', 0)
      template.resourceCountIs('AWS::Route53::RecordSet', 0)
      const printed = Object.keys(template.toJSON().Outputs)
      expect(printed.filter((name) => /Dkim|Spf|Mx|Dmarc/.test(name))).toEqual([])
      template.resourceCountIs('AWS::SES::ConfigurationSet', 1)
      expect(JSON.stringify(resources(template, 'AWS::IAM::Policy'))).toContain('ses:SendRawEmail')
    }
  })

  it('get a certificate in the one region that CloudFront looks in, or the deployment stops', () => {
    const template = inZone('news.example', { domain: 'news.example' })
    template.resourceCountIs('AWS::CertificateManager::Certificate', 1)
    expect(template.toJSON().Rules).toMatchObject({
      CertificateRegion: {
        Assertions: [
          {
            Assert: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
            AssertDescription: expect.stringContaining('-c certificate='),
          },
        ],
      },
    })
    const given = inZone('news.example', {
      domain: 'news.example',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/c',
    })
    given.resourceCountIs('AWS::CertificateManager::Certificate', 0)
    expect(given.toJSON().Rules).not.toHaveProperty('CertificateRegion')
  })
})
