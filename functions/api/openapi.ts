import type * as v from 'valibot'
import type { Platform } from '../platform.ts'
import { type ApiRoute, problemSchema } from './api.ts'

type Shape = v.GenericSchema<unknown, unknown> | 'text' | 'binary'
type JsonSchema = Record<string, unknown>
type Converter = (schema: v.GenericSchema<unknown, unknown>, way: 'input' | 'output') => JsonSchema

/**
 * The OpenAPI 3.1 document of the routes given: the same objects serve the requests, so it says
 * what is served. Schemas are converted on the first call, not when the service starts.
 */
export async function openApiDocument(
  routes: readonly ApiRoute[],
  { settings, version }: Pick<Platform, 'settings' | 'version'>,
): Promise<object> {
  const { toJsonSchema } = await import('@valibot/to-json-schema')
  const convert: Converter = (schema, typeMode) => {
    const { $schema: _, ...json } = toJsonSchema(schema as v.GenericSchema, {
      typeMode,
      // Transformations and checks by code have no counterpart; what remains is still true.
      errorMode: 'ignore',
      target: 'draft-2020-12',
    })
    return json
  }

  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = openApiPath(route.path)
    paths[path] = { ...paths[path], [route.method]: operation(route, convert) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `${settings.site.title}: API`,
      version,
      description:
        'Posts in; feeds and digests out. Times are RFC 3339, ids are opaque strings, errors are problem+json with a stable `code`.',
    },
    servers: [{ url: settings.site.baseUrl }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key made with `broadsheet keys create NAME`.',
        },
      },
      schemas: { Problem: convert(problemSchema, 'output') },
      responses: {
        Problem: {
          description: 'Why it was refused, and the way out.',
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        },
      },
    },
  }
}

/** Hono's `/posts/:id{.+}` as OpenAPI writes it: `/posts/{id}`. */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)(?:\{[^}]*\})?\??/g, '{$1}')
}

function operation(route: ApiRoute, convert: Converter): Record<string, unknown> {
  const parameters = [...pathParameters(route.path), ...queryParameters(route, convert)]
  const refused = { $ref: '#/components/responses/Problem' }
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [tagOf(route)],
    ...(route.scope
      ? { security: [{ key: [] }], description: `Needs a key with the scope \`${route.scope}\`.` }
      : { security: [] }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? {
          requestBody: {
            required: !route.isBodyOptional,
            content: contentOf(route.body, 'input', convert),
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { description, content }]) => [
          status,
          {
            description,
            ...(content ? { content: contentOf(content, 'output', convert) } : {}),
          },
        ]),
      ),
      ...(route.scope ? { '401': refused, '403': refused } : {}),
      default: refused,
    },
  }
}

function contentOf(content: Record<string, Shape>, way: 'input' | 'output', convert: Converter) {
  return Object.fromEntries(
    Object.entries(content).map(([type, shape]) => [
      type,
      { schema: typeof shape === 'string' ? { type: 'string' } : convert(shape, way) },
    ]),
  )
}

function pathParameters(path: string) {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(route: ApiRoute, convert: Converter) {
  if (!route.query) return []
  const { properties = {}, required = [] } = convert(route.query, 'input') as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
    ...(typeof schema.description === 'string' ? { description: schema.description } : {}),
  }))
}

/** `POST /api/v1/runs/:id/retry` → `postRunsIdRetry`: stable, unique, readable in generated clients. */
function operationId({ method, path }: ApiRoute): string {
  const words = openApiPath(path)
    .replace(/^\/api\/v1/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function tagOf({ path }: ApiRoute): string {
  return path.replace(/^\/api\/v1/, '').split('/')[1] ?? 'service'
}
