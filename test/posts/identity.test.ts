import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import {
  claimIdentities,
  entryIdOf,
  findIdentities,
  identityHash,
  postIdOf,
  releaseIdentities,
} from '../../functions/posts/identity.ts'
import { modelRecordStore } from '../support/stepped-record-store.ts'

/** RFC 4151 §2.1: `tag:` authority `,` date `:` specific, with an authority of DNS labels. */
const tagUri =
  /^tag:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*,\d{4}-\d{2}-\d{2}:[0-9a-f]{16}$/

describe('entryIdOf', () => {
  it.each([
    ['https://news.example', 'tag:news.example,2026-03-02:0123456789abcdef'],
    ['http://127.0.0.1:8787', 'tag:127.0.0.1,2026-03-02:0123456789abcdef'],
    ['http://[::1]:8787', 'tag:1,2026-03-02:0123456789abcdef'],
    ['http://localhost', 'tag:localhost,2026-03-02:0123456789abcdef'],
    ['https://Bücher.example/blog', 'tag:xn--bcher-kva.example,2026-03-02:0123456789abcdef'],
    ['https://my_site.example.', 'tag:my-site.example,2026-03-02:0123456789abcdef'],
  ])('is a tag URI for %s', (baseUrl, expected) => {
    expect(entryIdOf(baseUrl, '2026-03-02T08:00:00Z', '0123456789abcdef')).toBe(expected)
  })

  it('is valid whatever the host', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.stringMatching(/^[a-z_][a-z0-9_-]{0,20}$/).filter((name) => !name.startsWith('xn--')),
    )
    fc.assert(
      fc.property(host, (name) => {
        expect(
          entryIdOf(`https://${name}:8443/blog`, '2026-03-02T08:00:00Z', postIdOf('x')),
        ).toMatch(tagUri)
      }),
    )
  })
})

describe('the keys of a post', () => {
  it('differ by kind and value, whatever these hold', () => {
    const key = fc.record({ kind: fc.constantFrom('id', 'path', 'url'), value: fc.string() })
    fc.assert(
      fc.property(key, key, (a, b) => {
        const isSame = a.kind === b.kind && a.value === b.value
        expect(identityHash(a as never) === identityHash(b as never)).toBe(isSame)
        expect(postIdOf(identityHash(a as never))).toMatch(/^[0-9a-f]{16}$/)
      }),
    )
  })

  it('stay with the post that exists and are taken from one that does not', async () => {
    const records = modelRecordStore()
    await records.put({ ...recordKeys.post('one'), value: { id: 'one' } })
    expect(await claimIdentities({ records }, 'one', ['k1', 'k2'])).toEqual([])
    expect(await claimIdentities({ records }, 'one', ['k1', 'k2'])).toEqual([])
    await records.put({ ...recordKeys.post('two'), value: { id: 'two' } })
    expect(await claimIdentities({ records }, 'two', ['k2', 'k3'])).toEqual(['k2'])
    expect(await findIdentities({ records }, ['k1', 'k2', 'k3', 'k4'])).toEqual([
      'one',
      'one',
      'two',
      undefined,
    ])
    await releaseIdentities({ records }, 'two', ['k3'])
    expect(await findIdentities({ records }, ['k3'])).toEqual(['two'])
    await records.delete(recordKeys.post('two'))
    await releaseIdentities({ records }, 'two', ['k1', 'k3'])
    expect(await findIdentities({ records }, ['k1', 'k3'])).toEqual(['one', undefined])
    await records.delete(recordKeys.post('one'))
    expect(await claimIdentities({ records }, 'two', ['k1'])).toEqual([])
    expect(await findIdentities({ records }, ['k1'])).toEqual(['two'])
  })
})
