import { describe, expect, it } from 'vitest'
import type { Mailer, OutgoingMessage } from '../../functions/platform.ts'

export interface OpenMailer {
  mailer: Mailer
  /** What the world has got, by recipient; bytes as they arrived. */
  delivered(): Promise<{ to: string; raw: string }[]>
  /** The present of the clock that `until` is held against. */
  now(): Date
  /** The provider writes Message-ID and Date itself, whatever stood there. */
  writesOwnIds?: boolean
  close(): Promise<void>
}

const crlf = (...lines: string[]) => new TextEncoder().encode(lines.join('\r\n'))

/** A message with everything that a line protocol could trip over. */
export function aMessage(over: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const to = over.to ?? 'reader@example.org'
  return {
    deliveryId: 'run-1_0_reader_0',
    from: 'news@example.org',
    to,
    kind: 'bulk',
    raw: crlf(
      'From: News <news@example.org>',
      `To: <${to}>`,
      'Subject: =?UTF-8?B?5pel5pys?=',
      'Message-ID: <run-1_0_reader_0@example.org>',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Hello.',
      '.',
      '..two dots',
      '.one dot',
      'From the start of a line',
      'naïve 日本語 😀',
      '',
    ),
    ...over,
  }
}

/** What `Mailer` promises; how each one fails is for the adapter's own tests. */
export function mailerContract(name: string, open: () => Promise<OpenMailer>): void {
  async function using(test: (mailer: OpenMailer) => Promise<void>): Promise<void> {
    const opened = await open()
    try {
      await test(opened)
    } finally {
      await opened.close()
    }
  }
  const later = ({ now }: OpenMailer) => new Date(now().getTime() + 60_000)

  describe(`${name} as a mailer`, () => {
    it('hands a message on, byte for byte, once', () =>
      using(async (opened) => {
        const message = aMessage()
        expect(await opened.mailer.send(message, later(opened))).toMatchObject({ status: 'sent' })
        const delivered = await opened.delivered()
        expect(delivered.map(({ to }) => to)).toEqual(['reader@example.org'])
        const own = (raw = '') =>
          opened.writesOwnIds ? raw.replace(/^(Message-ID|Date): .*\r\n/gm, '') : raw
        expect(own(delivered[0]?.raw)).toBe(own(new TextDecoder().decode(message.raw)))
      }))

    it('sends many side by side, each once', () =>
      using(async (opened) => {
        const readers = Array.from({ length: 60 }, (_, i) => `reader${i}@example.org`)
        const outcomes = await Promise.all(
          readers.map((to, i) =>
            opened.mailer.send(aMessage({ to, deliveryId: `run-1_0_${i}_0` }), later(opened)),
          ),
        )
        expect(outcomes.every(({ status }) => status === 'sent')).toBe(true)
        expect((await opened.delivered()).map(({ to }) => to).toSorted()).toEqual(
          readers.toSorted(),
        )
      }))

    it('sends nothing once it is too late', () =>
      using(async (opened) => {
        const past = new Date(opened.now().getTime() - 1)
        const outcome = await opened.mailer.send(aMessage(), past)
        expect(outcome).toMatchObject({ status: 'deferred', reason: 'too late' })
        expect(await opened.delivered()).toEqual([])
      }))

    it('asks once for each mail whether it may leave, and sends nothing when it may not', () =>
      using(async (opened) => {
        let asked = 0
        const answering = (mayLeave: boolean) => async () => {
          asked++
          return mayLeave
        }
        const { mailer } = opened
        const held = await mailer.send(aMessage(), later(opened), answering(false))
        expect(held).toMatchObject({ status: 'deferred' })
        expect([asked, await opened.delivered()]).toEqual([1, []])
        const sent = await mailer.send(aMessage(), later(opened), answering(true))
        expect(sent).toMatchObject({ status: 'sent' })
        expect([asked, (await opened.delivered()).length]).toEqual([2, 1])
      }))

    it('tells of a delivery what it can prove, and nothing else', () =>
      using(async (opened) => {
        const { mailer } = opened
        const before = await mailer.evidence('run-1_0_reader_0')
        expect(before).toBe(mailer.hasFinalEvidence ? 'none' : 'cannot tell')
        await mailer.send(aMessage(), later(opened))
        if (mailer.evidenceDelaySeconds === 0) {
          const after = await mailer.evidence('run-1_0_reader_0')
          expect(after).toBe(mailer.hasFinalEvidence ? 'accepted' : 'cannot tell')
        }
        expect(mailer.evidenceDelaySeconds).toBeGreaterThanOrEqual(0)
      }))

    it('knows its quota, or that it knows none', () =>
      using(async ({ mailer }) => {
        const numbers: number[] = Object.values(await mailer.quota())
        expect(numbers.filter((value) => !(value >= 0))).toEqual([])
      }))
  })
}
