import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { edgeHeaders } from '../../../functions/aws/sender.ts'
import { plain, resources, templateOf, withoutEdge } from '../../support/aws/stack-template.ts'

describe('the edge', () => {
  interface Behavior {
    PathPattern?: string
    TargetOriginId: string
    CachePolicyId: unknown
    AllowedMethods: string[]
    OriginRequestPolicyId?: string
    Compress?: boolean
    FunctionAssociations?: unknown[]
  }
  interface Config {
    DefaultCacheBehavior: Behavior
    CacheBehaviors: Behavior[]
    Origins: { Id: string; OriginPath?: string; OriginCustomHeaders?: unknown }[]
    OriginGroups: { Items: { Id: string; FailoverCriteria: unknown }[] }
    CustomErrorResponses?: unknown
  }
  const [[, distribution] = []] = resources(plain, 'AWS::CloudFront::Distribution')
  const { DistributionConfig } = distribution?.Properties as unknown as {
    DistributionConfig: Config
  }

  it('takes a domain only with a certificate for it', () => {
    const domain = 'news.example'
    const without = templateOf({ domain })
    without.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { Aliases: Match.absent() },
    })
    expect(JSON.stringify(without.findOutputs('SiteUrl'))).not.toContain(domain)
    const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/c'
    const withOne = templateOf({ domain, certificateArn })
    withOne.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: [domain],
        ViewerCertificate: {
          AcmCertificateArn: certificateArn,
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      },
    })
    withOne.hasOutput('SiteUrl', { Value: `https://${domain}` })
    withOne.hasOutput('SiteDns', {})
  })

  it('is left out with `edge=none`, and the web function serves everything', () => {
    withoutEdge.resourceCountIs('AWS::CloudFront::Distribution', 0)
    withoutEdge.resourceCountIs('AWS::Lambda::Url', 1)
    withoutEdge.hasOutput('SiteUrl', {
      Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('FunctionUrl'), 'FunctionUrl'] },
    })
  })

  it('asks the web function for what is not rendered', () => {
    const { DefaultCacheBehavior, OriginGroups, Origins } = DistributionConfig
    expect(OriginGroups.Items).toMatchObject([
      {
        Id: DefaultCacheBehavior.TargetOriginId,
        FailoverCriteria: { StatusCodes: { Items: [403, 404] } },
      },
    ])
    expect(Origins.filter(({ OriginPath }) => OriginPath === '/public')).toHaveLength(1)
    expect(DefaultCacheBehavior.FunctionAssociations).toHaveLength(1)
  })

  it('takes the place of no answer of the API', () => {
    expect(DistributionConfig).not.toHaveProperty('CustomErrorResponses')
  })

  it('caches nothing that a form or the API answers, and takes every method there', () => {
    const paths = DistributionConfig.CacheBehaviors.map(({ PathPattern }) => PathPattern)
    expect(paths).toEqual([
      '/api/*',
      '/healthz',
      '/subscribe*',
      '/confirm/*',
      '/preferences/*',
      '/unsubscribe/*',
      '/archive/*',
      '/admin/*',
    ])
    for (const { CachePolicyId, AllowedMethods } of DistributionConfig.CacheBehaviors) {
      // The managed policy `CachingDisabled`.
      expect(CachePolicyId).toBe('4135ea2d-6df8-44a3-9df3-4b5a84be39ad')
      expect(AllowedMethods).toContain('POST')
    }
  })

  it('signs what it asks of the bucket, and nothing that a form sends', () => {
    const controls = resources(plain, 'AWS::CloudFront::OriginAccessControl')
    expect(controls).toMatchObject([
      [
        expect.anything(),
        { Properties: { OriginAccessControlConfig: { OriginAccessControlOriginType: 's3' } } },
      ],
    ])
    plain.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' })
  })

  it('reads of the bucket only what is rendered for everyone: mails lie in it, too', () => {
    const [[, { Properties } = {}] = []] = resources(plain, 'AWS::S3::BucketPolicy')
    const { PolicyDocument } = Properties as unknown as {
      PolicyDocument: { Statement: { Effect: string; Action: unknown; Resource: unknown }[] }
    }
    const [allowed, ...others] = PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow')
    expect(others).toEqual([])
    expect(allowed).toMatchObject({
      Action: 's3:GetObject',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Resource: { 'Fn::Join': ['', [expect.anything(), '/public/*']] },
      Condition: { StringEquals: { 'AWS:SourceArn': expect.anything() } },
    })
    expect(JSON.stringify(allowed)).toContain(':distribution/')
  })

  it('names by its region what has its name all over the account', () => {
    const named = resources(plain).flatMap(([, { Type, Properties }]) => {
      if (!Type.startsWith('AWS::CloudFront::')) return []
      const name = Object.entries(Properties).flatMap(([key, value]) =>
        key === 'Name' ? [value] : ((value as { Name?: unknown }).Name ?? []),
      )
      return name.map(
        (one) => [Type.slice('AWS::CloudFront::'.length), JSON.stringify(one)] as const,
      )
    })
    expect(named.map(([type]) => type).sort()).toEqual([
      'CachePolicy',
      'Function',
      'Function',
      'OriginAccessControl',
      'ResponseHeadersPolicy',
    ])
    for (const [, name] of named) expect(name).toContain('{"Ref":"AWS::Region"}')
  })

  it('tells the web function, and nobody else, who sent a request', () => {
    const mark = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] }
    const origins = DistributionConfig.Origins.filter((origin) =>
      JSON.stringify(origin).includes('FunctionUrl'),
    )
    expect(origins).toHaveLength(2)
    for (const { OriginCustomHeaders } of origins) {
      expect(OriginCustomHeaders).toEqual([{ HeaderName: edgeHeaders.mark, HeaderValue: mark }])
    }
    const others = DistributionConfig.Origins.filter((origin) => !origins.includes(origin))
    expect(JSON.stringify(others)).not.toContain(edgeHeaders.mark)
    for (const { FunctionAssociations } of DistributionConfig.CacheBehaviors) {
      expect(FunctionAssociations).toMatchObject([
        {
          EventType: 'viewer-request',
          FunctionARN: { 'Fn::GetAtt': [expect.stringMatching(/^SiteSender/), 'FunctionARN'] },
        },
      ])
    }
    for (const [template, expected] of [
      [plain, { Web: mark }],
      [withoutEdge, {}],
    ] as const) {
      const told = resources(template, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
        const { Variables } = (Properties as unknown as { Environment: { Variables: object } })
          .Environment
        const name = id.slice('Compute'.length, -8)
        return 'BROADSHEET_EDGE' in Variables ? [[name, Variables.BROADSHEET_EDGE]] : []
      })
      expect(Object.fromEntries(told)).toEqual(expected)
    }
  })

  it('forwards to the web function what a viewer sent, but for the host', () => {
    for (const behavior of DistributionConfig.CacheBehaviors) {
      // The managed policy `AllViewerExceptHostHeader`.
      expect(behavior.OriginRequestPolicyId).toBe('b689b0a8-53d0-40ab-baf2-68738e2966ac')
    }
  })

  it('compresses by itself what it can', () => {
    expect(DistributionConfig.DefaultCacheBehavior.Compress).toBe(true)
    plain.hasResourceProperties('AWS::CloudFront::CachePolicy', {
      CachePolicyConfig: {
        ParametersInCacheKeyAndForwardedToOrigin: {
          EnableAcceptEncodingGzip: true,
          EnableAcceptEncodingBrotli: true,
        },
      },
    })
  })
})
