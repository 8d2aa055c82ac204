/**
 * Policies as IAM reads them, as far as the template uses their language. What it does not know (an
 * element, an operator, a condition's key) it refuses to judge: a policy must not pass unread.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

/** With every reference of the template resolved. */
export interface Statement {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Action: string | string[]
  Resource: string | string[]
  /** Only in a policy of a resource; without it, the statement is of the caller's own role. */
  Principal?: '*' | { AWS?: string | string[]; Service?: string | string[] }
  Condition?: Record<string, Record<string, string | string[]>>
}

/**
 * What a request says of itself, by names in small letters. An empty list is a key that the request
 * does not carry; one that is not here at all is not known, and no condition may go by it.
 */
export type Context = Readonly<Record<string, readonly string[]>>

/** One thing that a request needs to be allowed. */
export interface Permission {
  action: string
  /** An ARN; `*` for what is about no resource. */
  resource: string
  context: Context
}

/** Who asks. */
export type Principal = { role: string } | { service: string }

/** One action on one resource, both as they are written. */
export interface Grant {
  action: string
  resource: string
}

export type Decision =
  | { isAllowed: true; by: Grant[] }
  | { isAllowed: false; because: 'nothing allows it' | 'it is denied' }

const elements = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Principal', 'Condition'])

/** A denial wins; what nothing allows is denied. @throws Error for what it cannot judge */
export function decide(
  statements: readonly Statement[],
  principal: Principal,
  { action, resource, context }: Permission,
): Decision {
  const by: Grant[] = []
  for (const statement of statements) {
    assertKnown(statement)
    if (!matchesPrincipal(statement.Principal, principal)) continue
    const grants = grantsOf(statement).filter(
      (grant) => matchesAction(grant.action, action) && matchesArn(grant.resource, resource),
    )
    if (grants.length === 0 || !holds(statement.Condition, context)) continue
    if (statement.Effect === 'Deny') return { isAllowed: false, because: 'it is denied' }
    by.push(...grants)
  }
  return by.length > 0
    ? { isAllowed: true, by }
    : { isAllowed: false, because: 'nothing allows it' }
}

/** Each action of a statement with each of its resources. */
export function grantsOf({ Action, Resource }: Statement): Grant[] {
  return listOf(Action).flatMap((action) =>
    listOf(Resource).map((resource) => ({ action, resource })),
  )
}

function assertKnown(statement: Statement) {
  const unknown = Object.keys(statement).find((element) => !elements.has(element))
  if (unknown) throw new Error(`a policy has the element ${unknown}, which is not known here`)
  for (const text of [...listOf(statement.Action), ...listOf(statement.Resource)]) {
    if (typeof text !== 'string' || text.includes('${')) {
      throw new Error(`a policy says ${JSON.stringify(text)}, which is not known here`)
    }
  }
}

function matchesPrincipal(written: Statement['Principal'], asking: Principal): boolean {
  if (written === undefined) return 'role' in asking
  if (written === '*') return true
  const unknown = Object.keys(written).find((kind) => kind !== 'AWS' && kind !== 'Service')
  if (unknown) throw new Error(`a policy names a principal by ${unknown}, which is not known here`)
  // `{ AWS: '*' }` is everybody, as `*` is.
  if (listOf(written.AWS ?? []).includes('*')) return true
  return 'role' in asking
    ? listOf(written.AWS ?? []).includes(asking.role)
    : listOf(written.Service ?? []).includes(asking.service)
}

function matchesAction(pattern: string, action: string): boolean {
  return matches(pattern.toLowerCase(), action.toLowerCase())
}

/** A star ends at a colon, except in the last part: no pattern reaches into another service. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true
  const [wanted, given] = [pattern, arn].map((text) => {
    const parts = text.split(':')
    return [...parts.slice(0, 5), parts.slice(5).join(':')]
  })
  if (pattern.split(':').length < 6) return false
  return (wanted ?? []).every((part, i) => matches(part, given?.[i] ?? ''))
}

/** `*` for any text, `?` for one character. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const isAt = (part: string, at: number) =>
    at >= 0 &&
    at + part.length <= text.length &&
    [...part].every((letter, i) => letter === '?' || letter === text[at + i])
  if (!isAt(first, 0)) return false
  if (rest.length === 0) return first.length === text.length
  let at = first.length
  const last = rest.pop() ?? ''
  for (const part of rest) {
    while (at <= text.length && !isAt(part, at)) at++
    if (at > text.length) return false
    at += part.length
  }
  return text.length - last.length >= at && isAt(last, text.length - last.length)
}

/** All of a statement's conditions hold. */
function holds(condition: Statement['Condition'], context: Context): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const given = context[key.toLowerCase()]
      if (!given) throw new Error(`a condition goes by ${key}, which is not known of this request`)
      return test(operator, listOf(wanted), given)
    }),
  )
}

const operators: Record<string, (wanted: string, given: string) => boolean> = {
  StringEquals: (wanted, given) => wanted === given,
  StringLike: matches,
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html */
function test(operator: string, wanted: string[], given: readonly string[]): boolean {
  const [set, name = ''] = operator.includes(':') ? operator.split(':') : [undefined, operator]
  const isMet = operators[name]
  if (!isMet || (set !== undefined && set !== 'ForAnyValue' && set !== 'ForAllValues')) {
    throw new Error(`a condition has the operator ${operator}, which is not known here`)
  }
  const isOne = (value: string) => wanted.some((one) => isMet(one, value))
  if (set === 'ForAllValues') return given.every(isOne)
  if (set === undefined && given.length > 1) {
    throw new Error(`the operator ${operator} is for one value, and there are ${given.length}`)
  }
  return given.some(isOne)
}

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value]
}
