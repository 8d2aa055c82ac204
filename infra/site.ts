import { Duration, Fn, Names, Stack } from 'aws-cdk-lib'
import { type ICertificate } from 'aws-cdk-lib/aws-certificatemanager'
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront'
import { FunctionUrlOrigin, OriginGroup, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type FunctionUrl } from 'aws-cdk-lib/aws-lambda'
import { AaaaRecord, ARecord, type IPublicHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53'
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { edgeHeaders } from '../functions/aws/sender.ts'
import { objectKeys } from '../functions/keys.ts'
import { contentSecurityPolicy } from '../functions/site/content-security-policy.ts'
import { edgeFunctionCode, senderFunctionCode } from './edge-function.ts'

/** Paths that the web function answers; everything else lies in the bucket, rendered. */
const dynamicPaths = [
  '/api/*',
  '/healthz',
  '/subscribe*',
  '/confirm/*',
  '/preferences/*',
  '/unsubscribe/*',
  '/archive/*',
  '/admin/*',
] as const

export interface SiteProps {
  bucket: Bucket
  webUrl: FunctionUrl
  /** Tells the web function that a request comes from here; in no template. */
  edgeMark: string
  domain?: string
  certificate?: ICertificate
  zone?: IPublicHostedZone
}

/** The edge: rendered feeds and pages from the bucket, forms and API from the web function. */
export class Site extends Construct {
  readonly distribution: Distribution

  constructor(scope: Construct, id: string, props: SiteProps) {
    super(scope, id)
    const edge = new EdgeFunction(this, 'Edge', {
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(edgeFunctionCode),
    })
    const sender = new EdgeFunction(this, 'Sender', {
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(senderFunctionCode),
    })
    // No origin access control here: browsers' forms and one-click senders cannot sign a body.
    const webOrigin = () =>
      new FunctionUrlOrigin(props.webUrl, { customHeaders: { [edgeHeaders.mark]: props.edgeMark } })
    const web: BehaviorOptions = {
      origin: webOrigin(),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      functionAssociations: [{ function: sender, eventType: FunctionEventType.VIEWER_REQUEST }],
    }
    this.distribution = new Distribution(this, 'Distribution', {
      defaultBehavior: {
        // What is not rendered (a first page, an old address, a style sheet, a post that is gone) is
        // for the web function to answer. An error page of the distribution would do, but it would
        // also take the place of the API's own refusals. The bucket answers 403 for what is not
        // there, since nobody may list it.
        origin: new OriginGroup({
          // CDK's own way with an access control lets the distribution read the whole bucket, and
          // mails lie in it.
          primaryOrigin: S3BucketOrigin.withBucketDefaults(props.bucket as IBucket, {
            originPath: `/${objectKeys.publicPath('')}`,
            originAccessControlId: new S3OriginAccessControl(this, 'Access', {
              originAccessControlName: globalName(this, 'Access', 64),
            }).originAccessControlId,
          }),
          fallbackOrigin: webOrigin(),
          fallbackStatusCodes: [403, 404],
        }),
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: new CachePolicy(this, 'Cache', {
          comment: 'As long as the object says, at most a day',
          minTtl: Duration.seconds(0),
          defaultTtl: Duration.minutes(5),
          maxTtl: Duration.days(1),
          enableAcceptEncodingGzip: true,
          enableAcceptEncodingBrotli: true,
        }),
        compress: true,
        responseHeadersPolicy: pageHeaders(this),
        functionAssociations: [{ function: edge, eventType: FunctionEventType.VIEWER_REQUEST }],
      },
      additionalBehaviors: Object.fromEntries(dynamicPaths.map((path) => [path, web])),
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      ...(props.domain && props.certificate
        ? {
            domainNames: [props.domain],
            certificate: props.certificate,
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
          }
        : {}),
    })
    props.bucket.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: [props.bucket.arnForObjects(objectKeys.publicPath('/*'))],
        conditions: { StringEquals: { 'AWS:SourceArn': this.distribution.distributionArn } },
      }),
    )
    if (props.domain && props.zone) {
      const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution))
      new ARecord(this, 'Ipv4', { zone: props.zone, recordName: `${props.domain}.`, target })
      new AaaaRecord(this, 'Ipv6', { zone: props.zone, recordName: `${props.domain}.`, target })
    }
  }

  get address(): string {
    return Fn.join('', ['https://', this.distribution.distributionDomainName])
  }
}

/** For what has its name all over the account: stacks of one name may lie in several regions. */
function globalName(scope: Construct, id: string, most: number): string {
  const { region } = Stack.of(scope)
  const room = most - `-${id}-us-gov-east-1`.length - 4
  return `${Names.uniqueResourceName(scope, { separator: '-', maxLength: room })}-${id}-${region}`
}

/** What the app adds to its own answers, for pages that come out of the bucket. */
function pageHeaders(scope: Construct): ResponseHeadersPolicy {
  const directives = Object.entries(contentSecurityPolicy).map(
    ([name, values]) =>
      `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${values.join(' ')}`,
  )
  return new ResponseHeadersPolicy(scope, 'Headers', {
    responseHeadersPolicyName: globalName(scope, 'Headers', 128),
    comment: 'As functions/app.ts says them',
    securityHeadersBehavior: {
      contentSecurityPolicy: { contentSecurityPolicy: directives.join('; '), override: false },
      contentTypeOptions: { override: false },
      frameOptions: { frameOption: HeadersFrameOption.DENY, override: false },
      referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: false },
      strictTransportSecurity: {
        accessControlMaxAge: Duration.days(180),
        override: false,
      },
    },
  })
}
