import { describe, expect, it } from 'vitest'
import { objectPrefixes, recordKeys } from '../../../functions/keys.ts'
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
    const stars: string[] = []
    for (const name of ['Web', 'Jobs', 'Clock', 'Feedback'] as const) {
      for (const { Effect, Action, Resource: resource } of statementsOf(template, name)) {
        if (Effect === 'Deny') continue
        expect(listOf(Action).filter((action) => action.includes('*'))).toEqual([])
        for (const one of listOf(resource)) {
          // The last literal part of an ARN says what the star stands for.
          const end = /[^":]*\*$/.exec(/"([^"]*\*)"/.exec(JSON.stringify(one))?.[1] ?? '')?.[0]
          if (end) stars.push(`${name} ${end}: ${listOf(Action).sort()}`)
        }
      }
    }
    const written = (['Web', 'Jobs', 'Clock'] as const).flatMap((name) => [
      ...objectPrefixes.map(
        (prefix) => `${name} /${prefix}*: s3:DeleteObject,s3:GetObject,s3:PutObject`,
      ),
      ...(template === plain
        ? []
        : [`${name} *: ses:GetIdentityVerificationAttributes,ses:GetSendQuota`]),
    ])
    if (template !== plain) written.push('Jobs identity/*: ses:SendRawEmail')
    expect(stars.sort()).toEqual(written.sort())
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
