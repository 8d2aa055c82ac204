import { markedText } from '../components/marked-text.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'

type Schema = { [key: string]: unknown }

interface Operation {
  summary?: string
  description?: string
  parameters?: {
    name: string
    in: string
    required?: boolean
    schema?: Schema
    description?: string
  }[]
  requestBody?: { content?: Record<string, { schema?: Schema }> }
  responses?: Record<
    string,
    { description?: string; content?: Record<string, { schema?: Schema }> }
  >
}

/** The parts of an OpenAPI 3.1 document that the page shows. */
export interface OpenApi {
  info?: { title?: string; version?: string; description?: string }
  paths?: Record<string, Record<string, Operation>>
}

export interface DocsPageProps extends PageContext {
  openapi: OpenApi
  errors: readonly { code: string; meaning: string }[]
}

/** The API to read: every route with what it takes and answers, and every error by its code. */
export function docsPage({ settings, locale, openapi, errors }: DocsPageProps): string {
  const { info = {}, paths = {} } = openapi
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  return renderPage({
    settings,
    locale,
    shape: 'wide',
    title: info.title ?? 'API',
    isPrivate: true,
    children: (
      <div class="docs">
        <h1 class="title">{info.title ?? 'API'}</h1>
        {info.description && <p class="lead">{markedText(info.description)}</p>}
        <p class="facts">
          <span>{`Version ${info.version ?? ''}`}</span>
          <a href="/api/openapi.json">OpenAPI 3.1</a>
          <a href="#errors">Errors</a>
        </p>
        <ul class="plain section issue">
          {operations.map(({ path, method, operation }) => (
            <li>
              <a href={`#${anchorOf(method, path)}`}>
                <code>{`${method.toUpperCase()} ${path}`}</code>
              </a>{' '}
              <span class="small">{markedText(operation.summary ?? '')}</span>
            </li>
          ))}
        </ul>
        {operations.map(({ path, method, operation }) => (
          <section class="section" id={anchorOf(method, path)}>
            <h2>
              <code>{`${method.toUpperCase()} ${path}`}</code>
            </h2>
            {operation.summary && <p>{markedText(operation.summary)}</p>}
            {operation.description && <p class="small">{markedText(operation.description)}</p>}
            <Parameters operation={operation} />
            {Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => (
              <Part title={`Body: ${type}`} schema={schema} />
            ))}
            {Object.entries(operation.responses ?? {})
              .filter(([status]) => /^2/.test(status))
              .map(([status, { description, content = {} }]) => (
                <>
                  <h3 class="small">{`Answer ${status}`}</h3>
                  {description && <p>{markedText(description)}</p>}
                  {Object.entries(content).map(([type, { schema }]) => (
                    <Part title={type} schema={schema} />
                  ))}
                </>
              ))}
          </section>
        ))}
        <section class="section" id="errors">
          <h2>Errors</h2>
          <p>
            {markedText(
              'Errors are `application/problem+json` (RFC 9457). Their `code` is stable; `detail` says what is wrong and the way out.',
            )}
          </p>
          <dl>
            {errors.map(({ code, meaning }) => (
              <div id={`error-${code}`}>
                <dt>
                  <code>{code}</code>
                </dt>
                <dd>{markedText(meaning)}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    ),
  })
}

function Parameters({ operation }: { operation: Operation }) {
  const parameters = operation.parameters ?? []
  if (parameters.length === 0) return null
  return (
    <dl>
      {parameters.map(({ name, in: place, required, schema, description }) => (
        <div>
          <dt>
            <code>{name}</code>{' '}
            <span class="small">{`${place}${required ? ', required' : ''}`}</span>
          </dt>
          <dd>{markedText(description ?? typeText(schema ?? {}, 0))}</dd>
        </div>
      ))}
    </dl>
  )
}

function Part({ title, schema }: { title: string; schema?: Schema | undefined }) {
  return (
    <>
      <p class="small">{title}</p>
      {schema && (
        <pre tabindex={0}>
          <code>{typeText(schema, 0)}</code>
        </pre>
      )}
    </>
  )
}

const deepest = 6

/** A JSON Schema as one would write it down for a person: close to TypeScript. */
function typeText(schema: Schema, depth: number): string {
  if (depth > deepest) return '…'
  const indent = '  '.repeat(depth + 1)
  if (Array.isArray(schema.enum))
    return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  const union = schema.anyOf ?? schema.oneOf
  if (Array.isArray(union)) {
    return union.map((one) => typeText(one as Schema, depth)).join(' | ')
  }
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1) ?? ''
  if (schema.type === 'array') {
    const item = typeText((schema.items ?? {}) as Schema, depth)
    return / \| /.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
  }
  if (schema.type === 'object' && schema.properties) {
    const required = new Set((schema.required ?? []) as string[])
    const members = Object.entries(schema.properties as Record<string, Schema>).map(
      ([name, member]) =>
        `${indent}${name}${required.has(name) ? '' : '?'}: ${typeText(member, depth + 1)}`,
    )
    return `{\n${members.join('\n')}\n${'  '.repeat(depth)}}`
  }
  return typeof schema.type === 'string' ? schema.type : 'anything'
}

function anchorOf(method: string, path: string): string {
  return `${method}-${path.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')}`
}
