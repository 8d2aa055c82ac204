import { type CfnElement, type Stack, Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import { objectKeys, objectPrefixes } from '../functions/keys.ts'

/**
 * What cdk-nag's AwsSolutions rules find in the stack and why it stands. Whatever is not in this
 * list fails `cdk synth`.
 */
export function acknowledge(
  stack: Stack,
  parts: { bucket: IConstruct; clock: IConstruct; distribution?: IConstruct },
): void {
  const arnOf = (construct: IConstruct) =>
    `<${stack.resolve(stack.getLogicalId(construct.node.defaultChild as CfnElement))}.Arn>`
  const rule = (id: string, reason: string, scope: IConstruct = stack) =>
    Validations.of(scope).acknowledge({ id: `AwsSolutions::AwsSolutions-${id}`, reason })

  rule(
    'S1',
    'Access logs of the bucket would keep the addresses of readers; what is in it is written by our functions alone.',
    parts.bucket,
  )
  rule(
    'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
    'Writing its own log is all that this policy allows a function.',
  )
  for (const prefix of [...objectPrefixes, objectKeys.inboxRejected]) {
    rule(
      `IAM5[Resource::${arnOf(parts.bucket)}/${prefix}*]`,
      'Objects are granted by prefix, and only those that keys.ts knows.',
    )
  }
  rule(
    'IAM5[Resource::*]',
    'Questions to SES about the account (quota, verified sender) take no resource.',
  )
  rule(
    'IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*]',
    'In the sandbox SES checks the identity of the recipient, too; the sender is held by a condition.',
  )
  rule(
    `IAM5[Resource::${arnOf(parts.clock)}:*]`,
    'The scheduler is granted the versions of the one function that it calls.',
  )
  if (!parts.distribution) return
  rule('CFR1', 'A feed is for readers everywhere.', parts.distribution)
  rule('CFR2', 'A firewall costs more than the whole idle service.', parts.distribution)
  rule('CFR3', 'Access logs would keep the addresses of readers.', parts.distribution)
  rule(
    'CFR4',
    'Without a domain of its own the distribution uses the certificate of cloudfront.net, whose protocols AWS decides; with one, TLS 1.2 is the least.',
    parts.distribution,
  )
}
