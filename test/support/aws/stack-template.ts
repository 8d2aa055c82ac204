import { readFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { ServiceStack, type ServiceStackProps } from '../../../infra/service-stack.ts'

const { context } = JSON.parse(
  readFileSync(new URL('../../../cdk.json', import.meta.url), 'utf8'),
) as { context: Record<string, unknown> }

export interface Resource {
  Type: string
  Properties: Record<string, never>
  DeletionPolicy?: string
  DependsOn?: string[]
}
export interface Statement {
  Effect: 'Allow' | 'Deny'
  Action: string | string[]
  Resource?: unknown
  Condition?: unknown
}

/** The stack with some code instead of the bundles, which need no building to see the rest. */
export function stackOf(props: ServiceStackProps = {}) {
  const app = new App({ context })
  const stack = new ServiceStack(app, 'Broadsheet', { code: () => Code.fromInline('x'), ...props })
  return { app, stack }
}

export const templateOf = (props?: ServiceStackProps) => Template.fromStack(stackOf(props).stack)

export const plain = templateOf()
export const withSender = templateOf({
  mailDomain: 'news.example',
  alarmAddress: 'ops@news.example',
})
export const withoutEdge = templateOf({ edge: 'none', mailDomain: 'news.example' })
export const variants = [
  ['plain', plain],
  ['with a sender', withSender],
  ['without an edge', withoutEdge],
] as const

export const resources = (template: Template, type?: string) =>
  Object.entries(template.toJSON().Resources as Record<string, Resource>).filter(
    ([, resource]) => type === undefined || resource.Type === type,
  )
export const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** The statements of the role that a function of `Compute` runs with. */
export function statementsOf(template: Template, name: 'Web' | 'Jobs' | 'Clock' | 'Feedback') {
  return resources(template, 'AWS::IAM::Policy')
    .filter(([id]) => id.startsWith(`Compute${name}ServiceRole`))
    .flatMap(([, { Properties }]) => {
      const { PolicyDocument } = Properties as unknown as {
        PolicyDocument: { Statement: Statement[] }
      }
      return PolicyDocument.Statement
    })
}

export const actionsOf = (statements: Statement[]) =>
  statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => listOf(Action))
