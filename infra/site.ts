import { Duration, Fn } from 'aws-cdk-lib'
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
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront'
import { FunctionUrlOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins'
import { type FunctionUrl } from 'aws-cdk-lib/aws-lambda'
import { AaaaRecord, ARecord, type IPublicHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53'
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { edgeFunctionCode } from './edge-function.ts'

/** Paths that the web function answers; everything else lies in the bucket, rendered. */
export const dynamicPaths = [
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
    const web: BehaviorOptions = {
      // No origin access control here: browsers' forms and one-click senders cannot sign a body.
      origin: new FunctionUrlOrigin(props.webUrl),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    }
    this.distribution = new Distribution(this, 'Distribution', {
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(props.bucket as IBucket, {
          originPath: '/public',
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
        functionAssociations: [{ function: edge, eventType: FunctionEventType.VIEWER_REQUEST }],
      },
      additionalBehaviors: Object.fromEntries(dynamicPaths.map((path) => [path, web])),
      // The bucket answers 403 for what is not there, since nobody may list it.
      errorResponses: [
        {
          httpStatus: 403,
          responseHttpStatus: 404,
          responsePagePath: '/404/index.html',
          ttl: Duration.seconds(30),
        },
      ],
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      ...(props.domain && props.certificate
        ? { domainNames: [props.domain], certificate: props.certificate }
        : {}),
    })
    if (props.domain && props.zone) {
      const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution))
      new ARecord(this, 'Ipv4', { zone: props.zone, recordName: props.domain, target })
      new AaaaRecord(this, 'Ipv6', { zone: props.zone, recordName: props.domain, target })
    }
  }

  get address(): string {
    return Fn.join('', ['https://', this.distribution.distributionDomainName])
  }
}
