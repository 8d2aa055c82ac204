import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../../functions/keys.ts'
import {
  actionsOf,
  listOf,
  plain,
  statementsOf,
  variants,
} from '../../support/aws/stack-template.ts'

describe.each(variants)('what the functions may do, %s', (_, template) => {
  it('lets only `jobs` send mail, only as the sender', () => {
    for (const name of ['Web', 'Clock', 'Feedback'] as const) {
      const sending = actionsOf(statementsOf(template, name)).filter((action) =>
        /^ses:(Send|\*)/.test(action),
      )
      expect(sending).toEqual([])
    }
    const sends = statementsOf(template, 'Jobs').filter(({ Action }) =>
      listOf(Action).includes('ses:SendRawEmail'),
    )
    for (const { Condition } of sends) {
      expect(Condition).toEqual({ StringLike: { 'ses:FromAddress': ['*@news.example'] } })
    }
    expect(sends).toHaveLength(template === plain ? 0 : 1)
  })

  it('lets whoever drives a run ask SES what it allows', () => {
    for (const name of ['Web', 'Jobs', 'Clock'] as const) {
      const asks = actionsOf(statementsOf(template, name)).includes('ses:GetSendQuota')
      expect(asks).toBe(template !== plain)
    }
  })

  it('grants no action by a star, and resources by a star only as written here', () => {
    const stars = new Map<string, string[]>()
    for (const name of ['Web', 'Jobs', 'Clock', 'Feedback'] as const) {
      for (const { Effect, Action, Resource: resource } of statementsOf(template, name)) {
        if (Effect === 'Deny') continue
        expect(listOf(Action).filter((action) => action.includes('*'))).toEqual([])
        for (const one of listOf(resource)) {
          // The last literal part of an ARN says what the star stands for.
          const end = /[^":]*\*$/.exec(/"([^"]*\*)"/.exec(JSON.stringify(one))?.[1] ?? '')?.[0]
          const about = `${name} ${end}`
          if (end) stars.set(about, [...(stars.get(about) ?? []), ...listOf(Action)].sort())
        }
      }
    }
    const questions = ['ses:GetIdentityVerificationAttributes', 'ses:GetSendQuota']
    const written: [string, string[]][] = [
      ['Web /posts/*', ['s3:GetObject', 's3:PutObject']],
      ['Web /public/*', ['s3:GetObject']],
      ['Web /manifests/*', ['s3:DeleteObject', 's3:GetObject', 's3:PutObject']],
      ['Web /inbox/rejected/*', ['s3:PutObject']],
      ['Web /outbox/*', ['s3:DeleteObject']],
      ['Jobs /posts/*', ['s3:GetObject', 's3:PutObject']],
      ['Jobs /public/*', ['s3:DeleteObject', 's3:GetObject', 's3:PutObject']],
      ['Jobs /manifests/*', ['s3:GetObject', 's3:PutObject']],
      ['Jobs /inbox/*', ['s3:DeleteObject', 's3:GetObject']],
      ['Jobs /inbox/rejected/*', ['s3:PutObject']],
      ['Jobs /outbox/*', ['s3:GetObject', 's3:PutObject']],
      ['Clock /posts/*', ['s3:PutObject']],
      ['Clock /inbox/*', ['s3:DeleteObject', 's3:GetObject']],
      ['Clock /inbox/rejected/*', ['s3:PutObject']],
      ['Clock /outbox/*', ['s3:DeleteObject']],
    ]
    if (template !== plain) {
      for (const name of ['Web', 'Jobs', 'Clock']) written.push([`${name} *`, questions])
      written.push(['Jobs identity/*', ['ses:SendRawEmail']])
    }
    expect(Object.fromEntries(stars)).toEqual(Object.fromEntries(written))
  })

  it('lets nobody delete what is stored of a post, and nobody but `jobs` write what is shown', () => {
    for (const name of ['Web', 'Jobs', 'Clock', 'Feedback'] as const) {
      for (const { Action, Resource: resource } of statementsOf(template, name)) {
        const text = JSON.stringify(resource)
        if (text.includes('/posts/*')) expect(listOf(Action)).not.toContain('s3:DeleteObject')
        if (text.includes('/public/*') && name !== 'Jobs')
          expect(listOf(Action)).toEqual(['s3:GetObject'])
      }
    }
  })

  it('lets `web` alone read the API keys', () => {
    for (const name of ['Jobs', 'Clock', 'Feedback'] as const) {
      expect(statementsOf(template, name).filter(({ Effect }) => Effect === 'Deny')).toMatchObject([
        {
          Action: 'dynamodb:*',
          Condition: {
            'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': [recordKeys.apiKeys] },
          },
        },
      ])
    }
    expect(statementsOf(template, 'Web').filter(({ Effect }) => Effect === 'Deny')).toEqual([])
  })

  it('lets a function see that an object is not there', () => {
    for (const name of ['Web', 'Jobs', 'Clock'] as const) {
      const lists = statementsOf(template, name).filter(({ Action }) =>
        listOf(Action).includes('s3:ListBucket'),
      )
      expect(lists).toHaveLength(1)
      expect(lists[0]).not.toHaveProperty('Condition')
    }
  })
})
