import { describe, expect, it } from 'vitest'
import { openApiPath } from '../../functions/api/openapi.ts'
import { apiRoutes } from '../../functions/app.ts'
import { postInput } from '../../functions/posts/source/post-input.ts'
import { openService } from './service.ts'

type Operation = {
  operationId: string
  summary: string
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { description?: string; $ref?: string; content?: object }>
  security: object[]
}

describe('GET /api/openapi.json', () => {
  it('describes every route that is served, and no other', async () => {
    const { app } = await openService()
    const document = await (await app.request('/api/openapi.json')).json()
    expect(document.openapi).toMatch(/^3\.1\./)
    const described = Object.entries(document.paths as Record<string, Record<string, Operation>>)
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
      .sort()
    const served = app.routes
      .filter(({ path, method }) => path.startsWith('/api/v1/') && method !== 'ALL')
      .map(({ path, method }) => `${method.toLowerCase()} ${openApiPath(path)}`)
    expect(described).toEqual([...new Set(served)].sort())
    expect(described).toHaveLength(apiRoutes.length)
  })

  it('says of each what it needs and what it answers', async () => {
    const { app } = await openService()
    const document = await (await app.request('/api/openapi.json')).json()
    const operations = Object.entries(
      document.paths as Record<string, Record<string, Operation>>,
    ).flatMap(([path, item]) => Object.values(item).map((operation) => ({ path, operation })))
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path')
      expect(declared.map(({ name }) => name)).toEqual(inPath)
      expect(Object.keys(operation.responses).some((status) => /^2/.test(status))).toBe(true)
      expect(operation.responses.default).toEqual({ $ref: '#/components/responses/Problem' })
      expect(operation.security).toEqual([{ key: [] }])
      expect(operation.summary.length).toBeGreaterThan(5)
    }
    expect(JSON.stringify(document)).not.toContain('undefined')
  })

  it('names the parameters that a list takes', async () => {
    const { app } = await openService()
    const document = await (await app.request('/api/openapi.json')).json()
    const { parameters } = document.paths['/api/v1/posts'].get as Operation
    expect(parameters?.map(({ name, required }) => [name, required])).toEqual([
      ['limit', false],
      ['cursor', false],
      ['category', false],
    ])
  })

  it('names every field that a post may have', async () => {
    const { app } = await openService()
    const document = await (await app.request('/api/openapi.json')).json()
    for (const operation of [
      document.paths['/api/v1/posts'].post,
      document.paths['/api/v1/posts/{id}'].put,
    ] as Operation[]) {
      const schema = operation.requestBody?.content['application/json']?.schema
      expect(schema).toMatchObject({
        required: ['title', 'content'],
        additionalProperties: false,
        properties: { enclosures: { type: 'array', maxItems: 20 } },
      })
      const { properties } = schema as { properties: object }
      expect(Object.keys(properties)).toEqual(Object.keys(postInput.entries))
    }
  })

  it('says which bodies are needed, and tells of every one that is read', async () => {
    const { app, api } = await openService()
    const document = await (await app.request('/api/openapi.json')).json()
    for (const { method, path, body, isBodyOptional } of apiRoutes) {
      const { requestBody } = document.paths[openApiPath(path)][method] as Operation
      expect(requestBody?.required, path).toBe(body && !isBodyOptional)
      if (method === 'get') continue
      const at = path.replace(/:\w+(\{[^}]*\})?/g, 'nothing')
      if (isBodyOptional) expect((await api(method, at)).status, path).toBe(200)
      if (body) continue
      const answer = await api(method, at, '{', { 'content-type': 'application/json' })
      expect(await answer.text(), path).not.toContain('malformed-json')
    }
  })

  it('is shown as a page without a script', async () => {
    const { page } = await openService()
    const { status, html } = await page('/api/docs')
    expect(status).toBe(200)
    expect(html).toContain('/api/v1/posts')
    expect(html).not.toContain('<script')
  })
})
