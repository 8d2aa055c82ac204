import { describe, expect, it } from 'vitest'
import { decide, matchesArn, type Permission, type Statement } from '../support/aws/iam-policy.ts'

const role = 'arn:aws:iam::123456789012:role/jobs'
const table = 'arn:aws:dynamodb:eu-central-1:123456789012:table/t'
const object = (key: string) => `arn:aws:s3:::bucket/${key}`

const reads: Statement = {
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:PutObject'],
  Resource: [object('posts/*'), object('public/*')],
}
const all: Statement = { Effect: 'Allow', Action: 'dynamodb:*', Resource: table }
const noKeys: Statement = {
  Effect: 'Deny',
  Action: 'dynamodb:*',
  Resource: table,
  Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': ['api-keys'] } },
}
const sends: Statement = {
  Effect: 'Allow',
  Action: 'ses:SendRawEmail',
  Resource: 'arn:aws:ses:*:123456789012:identity/*',
  Condition: { StringLike: { 'ses:FromAddress': ['*@news.example', '*@News.example'] } },
}
const onlySecure: Statement = {
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: 's3:*',
  Resource: [object('*')],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
}
const forTopic: Statement = {
  Effect: 'Allow',
  Principal: { Service: 'sns.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: 'arn:aws:sqs:eu-central-1:123456789012:q',
  Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:eu-central-1:123456789012:t' } },
}

const ask = (action: string, resource: string, context: Permission['context'] = {}) => ({
  action,
  resource,
  context,
})
const keys = (...leading: string[]) => ({ 'dynamodb:leadingkeys': leading })
const mail = (from: string) =>
  ask('ses:SendRawEmail', 'arn:aws:ses:eu-central-1:123456789012:identity/news.example', {
    'ses:fromaddress': [from],
  })

describe('a role', () => {
  it.each<[string, Statement[], Permission, boolean | 'denied']>([
    ['what is written', [reads], ask('s3:GetObject', object('posts/a')), true],
    ['another action', [reads], ask('s3:DeleteObject', object('posts/a')), false],
    ['another resource', [reads], ask('s3:GetObject', object('inbox/a')), false],
    ['nothing at all', [], ask('s3:GetObject', object('posts/a')), false],
    ['in large or small letters', [reads], ask('S3:getobject', object('posts/a')), true],
    ['a resource in other letters', [reads], ask('s3:GetObject', object('Posts/a')), false],
    ['every action, by a star', [all], ask('dynamodb:Query', table), true],
    ['not the index, which has a name', [all], ask('dynamodb:Query', `${table}/index/i`), false],
    ['what is not denied', [all, noKeys], ask('dynamodb:GetItem', table, keys('posts')), true],
    ['a denial, first', [noKeys, all], ask('dynamodb:GetItem', table, keys('api-keys')), 'denied'],
    ['a denial, last', [all, noKeys], ask('dynamodb:GetItem', table, keys('api-keys')), 'denied'],
    [
      'one of many denied',
      [all, noKeys],
      ask('dynamodb:BatchGetItem', table, keys('a', 'api-keys')),
      'denied',
    ],
    ['a denial without its key', [all, noKeys], ask('dynamodb:Scan', table, keys()), true],
    ['a condition that holds', [sends], mail('news@news.example'), true],
    ['the other value of it', [sends], mail('news@News.example'), true],
    ['a condition that does not', [sends], mail('news@other.example'), false],
    [
      'a condition without its key',
      [sends],
      { ...mail(''), context: { 'ses:fromaddress': [] } },
      false,
    ],
    [
      'what a policy of the resource denies',
      [reads, onlySecure],
      ask('s3:GetObject', object('posts/a'), { 'aws:securetransport': ['false'] }),
      'denied',
    ],
    [
      'what it does not deny',
      [reads, onlySecure],
      ask('s3:GetObject', object('posts/a'), { 'aws:securetransport': ['true'] }),
      true,
    ],
    [
      'what it allows somebody else',
      [forTopic],
      ask('sqs:SendMessage', 'arn:aws:sqs:eu-central-1:123456789012:q', { 'aws:sourcearn': [] }),
      false,
    ],
  ])('%s', (_, statements, permission, expected) => {
    const decision = decide(statements, { role }, permission)
    expect(decision.isAllowed).toBe(expected === true)
    if (!decision.isAllowed) expect(decision.because === 'it is denied').toBe(expected === 'denied')
  })

  it('says which grants it goes by', () => {
    const permission = ask('s3:GetObject', object('posts/a'))
    const also: Statement = { Effect: 'Allow', Action: 's3:Get*', Resource: '*' }
    expect(decide([reads, also], { role }, permission)).toEqual({
      isAllowed: true,
      by: [
        { action: 's3:GetObject', resource: object('posts/*') },
        { action: 's3:Get*', resource: '*' },
      ],
    })
  })
})

describe('a service', () => {
  const send = (topic: string) =>
    ask('sqs:SendMessage', 'arn:aws:sqs:eu-central-1:123456789012:q', {
      'aws:sourcearn': [`arn:aws:sns:eu-central-1:123456789012:${topic}`],
    })

  it.each([
    ['the one that is named', 'sns.amazonaws.com', 't', true],
    ['the same on behalf of another', 'sns.amazonaws.com', 'other', false],
    ['another', 'events.amazonaws.com', 't', false],
  ])('%s', (_, service, topic, expected) => {
    expect(decide([forTopic], { service }, send(topic)).isAllowed).toBe(expected)
  })

  it('gets nothing by the policy of a role', () => {
    const own: Statement = { Effect: 'Allow', Action: '*', Resource: '*' }
    expect(decide([own], { service: 'sns.amazonaws.com' }, send('t')).isAllowed).toBe(false)
  })
})

it.each([
  ['an element', { ...reads, NotAction: 's3:*' }, 'NotAction'],
  ['a variable', { ...reads, Resource: object('${aws:username}/*') }, 'aws:username'],
  ['an operator', { ...all, Condition: { DateLessThan: { 'aws:CurrentTime': 'x' } } }, 'DateLess'],
  ['a key', { ...all, Condition: { StringEquals: { 'aws:PrincipalTag/x': 'y' } } }, 'PrincipalTag'],
  ['a set', { ...all, Condition: { 'ForSome:StringEquals': { 'a:b': 'y' } } }, 'ForSome'],
  ['a kind of principal', { ...all, Principal: { Federated: 'x' } }, 'Federated'],
])('judges no policy with %s that it does not know', (_, statement, name) => {
  const known = { 'aws:currenttime': [], 'a:b': ['y'] }
  const permission = ask('dynamodb:Scan', table, known)
  expect(() => decide([statement as unknown as Statement], { role }, permission)).toThrow(name)
})

it.each([
  ['*', table, true],
  [table, table, true],
  ['arn:aws:dynamodb:*:123456789012:table/?', table, true],
  ['arn:aws:dynamodb:*:123456789012:table/??', table, false],
  ['arn:aws:dynamodb:*:table/t', table, false],
  ['arn:aws:*:table/t', table, false],
  ['arn:aws:s3:::bucket/*/index.html', object('public/a/b/index.html'), true],
  ['arn:aws:s3:::bucket/*/index.html', object('index.html'), false],
  ['arn:aws:s3:::bucket/a*b*c', object('abbc'), true],
  ['arn:aws:s3:::bucket/ab*ba', object('aba'), false],
  [
    'arn:aws:lambda:eu-central-1:1:function:f:*',
    'arn:aws:lambda:eu-central-1:1:function:f:2',
    true,
  ],
  ['arn:aws:lambda:eu-central-1:1:function:f:*', 'arn:aws:lambda:eu-central-1:1:function:f', false],
])('%s means %s: %s', (pattern, arn, expected) => {
  expect(matchesArn(pattern, arn)).toBe(expected)
})
