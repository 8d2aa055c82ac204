import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { outboxFolder, pruneOutbox } from '../../functions/local/outbox-folder.ts'
import { outboxMailer } from '../../functions/local/outbox-mailer.ts'
import { aMessage, mailerContract } from '../contracts/mailer.ts'
import { outboxContract } from '../contracts/outbox.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const now = () => new Date('2026-03-02T08:00:00Z')
const later = new Date('2026-03-02T08:05:00Z')

mailerContract('the outbox', async () => {
  const folder = temporaryFolder()
  return {
    mailer: outboxMailer({ folder, now }),
    delivered: async () =>
      fs.globSync(join(folder, '*.eml')).map((path) => {
        const raw = fs.readFileSync(path, 'utf8')
        return { to: /^To: <(.*)>/m.exec(raw)?.[1] ?? '', raw }
      }),
    now,
    close: async () => {},
  }
})

outboxContract('the outbox', async () => {
  const folder = temporaryFolder()
  const outbox = outboxFolder(folder)
  const kept = async () => (await outbox.list({ limit: 100 })).map(({ id }) => id)
  return { mailer: outboxMailer({ folder, now }), outbox, now, kept }
})

describe('the outbox', () => {
  it('holds a mail as a file that any mail program opens, named by its delivery', async () => {
    const folder = temporaryFolder()
    const message = aMessage({ deliveryId: 'run_0_reader_2' })
    await outboxMailer({ folder, now }).send(message, later)
    expect(fs.readFileSync(join(folder, 'run_0_reader_2.eml'))).toEqual(Buffer.from(message.raw))
  })

  it('knows after a restart what went out', async () => {
    const folder = temporaryFolder()
    await outboxMailer({ folder, now }).send(aMessage({ deliveryId: 'd1' }), later)
    const again = outboxMailer({ folder, now })
    expect([await again.evidence('d1'), await again.evidence('d2')]).toEqual(['accepted', 'none'])
  })

  it('looks at `until` in the instant before the mail appears', async () => {
    const folder = temporaryFolder()
    const instants = ['2026-03-02T08:00:00Z', '2026-03-02T08:06:00Z']
    let looks = 0
    const mailer = outboxMailer({
      folder,
      now: () => {
        // By now the mail is written beside, and without a name.
        expect(fs.readdirSync(join(folder, '.unfinished'))).toHaveLength(1)
        return new Date(instants[++looks] ?? 0)
      },
    })
    const outcome = await mailer.send(aMessage({ deliveryId: 'd1' }), later)
    expect(outcome).toEqual({ status: 'deferred', reason: 'too late', retryAfterSeconds: 60 })
    expect(fs.readdirSync(folder)).toEqual(['.unfinished'])
    expect(fs.readdirSync(join(folder, '.unfinished'))).toEqual([])
    expect(await mailer.evidence('d1')).toBe('none')
  })

  it.each(['../out', 'a/b', '', 'a.b', 'ü', 'x'.repeat(257)])(
    'refuses the delivery id %j',
    async (deliveryId) => {
      const mailer = outboxMailer({ folder: temporaryFolder(), now })
      await expect(mailer.send(aMessage({ deliveryId }), later)).rejects.toThrow('delivery id')
      await expect(mailer.evidence(deliveryId)).rejects.toThrow('delivery id')
    },
  )

  it('keeps the longest ids apart', async () => {
    const mailer = outboxMailer({ folder: temporaryFolder(), now })
    const id = (end: string) => 'x'.repeat(255) + end
    await mailer.send(aMessage({ deliveryId: id('1') }), later)
    expect([await mailer.evidence(id('1')), await mailer.evidence(id('2'))]).toEqual([
      'accepted',
      'none',
    ])
  })

  it('is shown newest first, page by page', async () => {
    const folder = temporaryFolder()
    for (const [i, id] of ['a', 'b', 'c'].entries()) {
      fs.writeFileSync(join(folder, `${id}.eml`), id)
      fs.utimesSync(join(folder, `${id}.eml`), i, i)
    }
    fs.writeFileSync(join(folder, 'note.txt'), 'no mail')
    fs.symlinkSync('/etc/passwd', join(folder, 'link.eml'))
    const outbox = outboxFolder(folder)
    const ids = async (after?: string) =>
      (await outbox.list({ limit: 2, ...(after ? { after } : {}) })).map(({ id }) => id)
    expect([await ids(), await ids('b'), await ids('a')]).toEqual([['c', 'b'], ['a'], []])
    expect(Buffer.from((await outbox.read('b')) ?? []).toString()).toBe('b')
    for (const id of ['none', 'link', '../secrets', 'a.eml', '', 'a\u0000']) {
      expect(await outbox.read(id)).toBeUndefined()
    }
    expect(await pruneOutbox(folder, 400, new Date(400 * 86_400_000 + 2000))).toBe(2)
    expect(await ids()).toEqual(['c'])
  })
})
