import type { StackStatus } from '@aws-sdk/client-cloudformation'
import { describe, expect, it } from 'vitest'
import { stackOf } from '../../cli/connection.ts'
import { awsRefusal } from '../../cli/stack/aws-refusal.ts'
import { deployedStack } from '../../cli/stack/read-stack.ts'

describe('the stack that a command works on', () => {
  it.each([
    ['none', {}, {}, undefined],
    ['one of the command line', { stack: 'Broadsheet' }, {}, 'Broadsheet'],
    ['one of the environment', {}, { BROADSHEET_STACK: 'My-1' }, 'My-1'],
    [
      'that of the command line rather than an address of the environment',
      { stack: 'Broadsheet' },
      { BROADSHEET_URL: 'https://a.example', BROADSHEET_KEY: 'k' },
      'Broadsheet',
    ],
    [
      'none when an address is named on the command line',
      { url: 'https://a.example' },
      { BROADSHEET_STACK: 'Broadsheet' },
      undefined,
    ],
    ['none when the variable is empty', {}, { BROADSHEET_STACK: '' }, undefined],
  ])('is %s', (_, options, env, expected) => {
    expect(stackOf(options, env)).toBe(expected)
  })

  it.each([
    ['beside an address', { stack: 'Broadsheet', url: 'https://a.example' }, {}],
    ['beside a key', { stack: 'Broadsheet', key: 'k' }, {}],
    ['and an address, both in the environment', {}, { BROADSHEET_STACK: 'a', BROADSHEET_URL: 'b' }],
    ['whose name is none', { stack: '' }, {}],
    ['whose name is an address', { stack: 'https://a.example' }, {}],
    ['whose name is too long', { stack: 'a'.repeat(129) }, {}],
    ['of the environment whose name is none', {}, { BROADSHEET_STACK: '1st' }],
  ])('is refused %s', (_, options, env) => {
    expect(() => stackOf(options, env)).toThrow(expect.objectContaining({ exit: 2 }))
  })
})

describe('a stack as it was found', () => {
  const outputs = Object.fromEntries(
    ['Table', 'Bucket'].map((name) => [`${name}Name`, name.toLowerCase()]),
  )
  const queues = Object.fromEntries(
    ['Urgent', 'Work', 'Mail', 'Dead', 'Event', 'DeadEvent'].map((name) => [
      `${name}QueueUrl`,
      `https://sqs.example/${name}`,
    ]),
  )
  const all = { SiteUrl: 'https://a.example/', ...outputs, ...queues }
  const found = (StackStatus: StackStatus, texts: Record<string, string> = all) =>
    deployedStack(
      {
        StackName: 'Test',
        StackId: 'arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/Test/x',
        CreationTime: new Date(0),
        StackStatus,
        Outputs: Object.entries(texts).map(([OutputKey, OutputValue]) => ({
          OutputKey,
          OutputValue,
        })),
      },
      'Test',
    )

  it.each<StackStatus>([
    'CREATE_COMPLETE',
    'UPDATE_COMPLETE',
    'UPDATE_IN_PROGRESS',
    'UPDATE_ROLLBACK_COMPLETE',
    'IMPORT_COMPLETE',
  ])('is worked on in state %s, as what was there before still works', (status) => {
    expect(found(status)).toMatchObject({
      region: 'cn-north-1',
      account: '123456789012',
      address: 'https://a.example',
      table: 'table',
    })
  })

  it.each<[StackStatus, number, RegExp]>([
    ['CREATE_IN_PROGRESS', 8, /still being made/],
    ['REVIEW_IN_PROGRESS', 8, /still being made/],
    ['ROLLBACK_IN_PROGRESS', 8, /Try again/],
    ['DELETE_IN_PROGRESS', 8, /is being deleted/],
    ['CREATE_FAILED', 1, /describe-stack-events --stack-name Test/],
    ['ROLLBACK_COMPLETE', 1, /npx cdk destroy/],
    ['DELETE_FAILED', 1, /was never finished/],
  ])('is not in state %s', (status, exit, message) => {
    const refusal = expect.objectContaining({ exit, message: expect.stringMatching(message) })
    expect(() => found(status)).toThrow(refusal)
  })

  it('is none of ours without our outputs', () => {
    const refusal = expect.objectContaining({
      exit: 2,
      message: expect.stringContaining('no output SiteUrl'),
    })
    expect(() => found('CREATE_COMPLETE', { Url: 'x' })).toThrow(refusal)
  })
})

/** An error as the SDK throws it; `status` comes with an answer. */
function thrown(name: string, message = '', more: { status?: number; code?: string } = {}) {
  const { status, code } = more
  return Object.assign(new Error(message), {
    name,
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  })
}

describe('what AWS refuses', () => {
  it.each([
    ['Error', 'Region is missing', {}, 2, /export AWS_REGION/],
    ['Error', 'Region not accepted: region="" is not a valid …', {}, 2, /export AWS_REGION/],
    ['CredentialsProviderError', 'Could not load credentials', {}, 4, /aws configure sso/],
    ['CredentialsProviderError', 'The SSO session … has expired', {}, 4, /aws sso login/],
    ['TokenProviderError', 'Token is expired', {}, 4, /aws sso login/],
    ['ExpiredTokenException', 'x', { status: 400 }, 4, /aws sso login/],
    ['UnrecognizedClientException', 'x', { status: 400 }, 4, /get-caller-identity/],
    ['InvalidClientTokenId', 'x', { status: 403 }, 4, /get-caller-identity/],
    ['SignatureDoesNotMatch', 'x', { status: 403 }, 4, /get-caller-identity/],
    ['SignatureDoesNotMatch', 'Signature expired: 2026…', { status: 403 }, 4, /timedatectl/],
    ['RequestTimeTooSkewed', 'x', { status: 403 }, 4, /timedatectl/],
    ['AccessDenied', 'not authorized to perform: s3:GetObject', { status: 403 }, 4, /s3:GetObject/],
    ['AccessDeniedException', 'x', { status: 400 }, 4, /may not do this/],
    ['403', '', { status: 403 }, 4, /may not do this/],
    ['ThrottlingException', 'Rate exceeded', { status: 400 }, 8, /come back later/],
    ['InternalFailure', 'x', { status: 500 }, 8, /come back later/],
    ['Error', 'getaddrinfo ENOTFOUND', { code: 'ENOTFOUND' }, 8, /is the region spelled right/],
    ['TimeoutError', 'x', {}, 8, /cannot be reached/],
  ])('%s (%s) says what to do', (name, message, more, exit, text) => {
    const refusal = awsRefusal(thrown(name, message, more))
    expect([refusal?.exit, refusal?.message]).toEqual([exit, expect.stringMatching(text)])
    // A fault that the service has wrapped is the same one.
    const wrapped = new Error('a part failed', { cause: thrown(name, message, more) })
    expect(awsRefusal(wrapped)?.message).toBe(refusal?.message)
  })

  it('is told apart from what fails for other reasons', () => {
    expect(awsRefusal(new TypeError('x is not a function'))).toBeUndefined()
    expect(
      awsRefusal(thrown('ConditionalCheckFailedException', 'x', { status: 400 })),
    ).toBeUndefined()
    expect(awsRefusal('text')).toBeUndefined()
  })
})
