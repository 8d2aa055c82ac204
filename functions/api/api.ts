import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import * as v from 'valibot'
import { invalid, type ServiceError } from '../errors.ts'
import { parseJson } from '../parse-json.ts'
import type { Platform } from '../platform.ts'
import { faultInWords } from '../schema-fault.ts'
import type { Scope } from './api-keys.ts'

/**
 * One route of the API. The same object serves requests and describes them in
 * `/api/openapi.json`, so the description cannot drift from what is served.
 */
export interface ApiRoute {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** In Hono's form: `/api/v1/posts/:id`. */
  path: string
  summary: string
  /** What a key must be allowed to do; absent for what needs no key. */
  scope?: Scope
  query?: v.GenericSchema<unknown, unknown>
  /** For documents: media types that the body may have and, where JSON, its shape. */
  body?: Record<string, v.GenericSchema<unknown, unknown> | 'text' | 'binary'>
  /** It works without a body, too. */
  isBodyOptional?: true
  answers: Record<
    number,
    {
      description: string
      content?: Record<string, v.GenericSchema<unknown, unknown> | 'text' | 'binary'>
    }
  >
  handle(c: Context, platform: Platform): Promise<Response> | Response
}

/** Lets TypeScript check a route where it is written. */
export function apiRoute(route: ApiRoute): ApiRoute {
  return route
}

/** Checks a value that came in against a schema; every fault is named by its path (422 `invalid-input`). */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what = 'The input',
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const errors = result.issues.slice(0, 20).map((issue) => ({
    path: v.getDotPath(issue) ?? '',
    message: faultInWords(issue),
  }))
  const first = errors[0]
  throw invalid(
    'invalid-input',
    `${what} cannot be used: ${first?.path ? `\`${first.path}\`: ` : ''}${first?.message ?? 'it has the wrong shape'}.`,
    { errors },
  )
}

/** The body as JSON; where it is `optional`, an empty one is an empty object. */
export async function jsonBody(c: Context, { optional = false } = {}): Promise<unknown> {
  const text = await c.req.text()
  return optional && text.trim() === '' ? {} : parseJson(text)
}

/** The query of a request as an object checked against a schema. */
export function queryOf<S extends v.GenericSchema>(c: Context, schema: S): v.InferOutput<S> {
  return check(schema, c.req.query(), 'The query')
}

/** How lists are paged: `limit` 1 to 1,000, `cursor` from the page before. */
export const pageQuery = v.object({
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/, 'must be a number from 1 to 1000'),
      v.transform(Number),
      v.minValue(1),
      v.maxValue(1000),
    ),
    '50',
  ),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(2000))),
})

/** The shape of every error (RFC 9457). */
export const problemSchema = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.string(),
  detail: v.string(),
  errors: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
})

/** An error as the API answers it. */
export function problem(error: ServiceError, baseUrl: string): Response {
  const body = {
    type: `${baseUrl}/api/docs#error-${error.code}`,
    title: error.message.split('. ')[0]?.replace(/\.$/, '') ?? error.code,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
  }
  return new Response(JSON.stringify(body), {
    status: error.status as ContentfulStatusCode,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  })
}
