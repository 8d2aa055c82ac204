import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3ObjectStore } from '../../functions/aws/s3-object-store.ts'
import type { PutObjectOptions } from '../../functions/platform.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'

let servers: AwsServers
beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

const bytes = (text: string) => new TextEncoder().encode(text)

describe('a write that S3 answers with 409, as another of its key is under way', () => {
  type Condition = Partial<PutObjectOptions>
  const conditions: [string, (etag: string) => Condition, string][] = [
    ['without a condition', () => ({}), 'a'],
    ['if the object is absent', () => ({ ifAbsent: true }), 'new'],
    ['if the object is as it was read', (ifMatch) => ({ ifMatch }), 'a'],
  ]

  async function open() {
    const objects = s3ObjectStore({ client: servers.clients.s3, bucket: await servers.bucket() })
    const before = await objects.put('a', bytes('before'), { contentType: 'text/plain' })
    const etag = before.status === 'stored' ? before.etag : ''
    const put = (key: string, condition: Condition) =>
      objects.put(key, bytes('after'), { contentType: 'text/plain', ...condition })
    const read = async (key: string) => new TextDecoder().decode((await objects.get(key))?.body)
    return { etag, put, read }
  }

  it.each(conditions)('%s: is tried again until it is stored', async (_, condition, key) => {
    const { etag, put, read } = await open()
    servers.s3.conflictNext(2)
    expect(await put(key, condition(etag))).toMatchObject({ status: 'stored' })
    expect(servers.s3.conflictsLeft()).toBe(0)
    expect(await read(key)).toBe('after')
  })

  it('has lost when the other write came first', async () => {
    const { put, read } = await open()
    servers.s3.conflictNext(1)
    expect(await put('a', { ifAbsent: true })).toEqual({ status: 'conflict' })
    expect(await read('a')).toBe('before')
  })

  it('ends in a conflict, or in a fault where none was asked about, when that never stops', async () => {
    const { etag, put } = await open()
    servers.s3.conflictNext(100)
    expect(await put('a', { ifMatch: etag })).toEqual({ status: 'conflict' })
    expect(servers.s3.conflictsLeft()).toBeGreaterThan(90)
    await expect(put('a', {})).rejects.toThrow()
    servers.s3.conflictNext(0)
  })
})
