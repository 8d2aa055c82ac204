import { describe, expect, it } from 'vitest'
import type { Mailer, Outbox } from '../../functions/platform.ts'
import { aMessage } from './mailer.ts'

export interface OpenOutbox {
  /** Keeps mails in it. */
  mailer: Mailer
  outbox: Outbox
  now(): Date
  /** Ids of the deliveries whose mails are there. */
  kept(): Promise<string[]>
}

/** What `Outbox` promises. */
export function outboxContract(name: string, open: () => Promise<OpenOutbox>): void {
  const [ada, bea] = ['a'.repeat(32), `b${'a'.repeat(31)}`]

  async function filled(...ids: string[]) {
    const opened = await open()
    const until = new Date(opened.now().getTime() + 60_000)
    for (const deliveryId of ids) {
      const sent = await opened.mailer.send(aMessage({ deliveryId }), until)
      expect(sent.status).toBe('sent')
    }
    expect((await opened.kept()).toSorted()).toEqual(ids.toSorted())
    return opened
  }

  describe(`${name} as an outbox`, () => {
    it('forgets every mail to a reader, of whatever kind, and nobody else’s', async () => {
      const adas = [
        `confirm_${ada}_AbCdEfGh-_12`,
        `daily-0800-UTC_20260302T080000Z_0_${ada}_0`,
        `daily-0800-UTC_20260302T080000Z_0_${ada}_1`,
        `letter_0123456789abcdef_2_${ada}_0`,
      ]
      const others = [
        `confirm_${bea}_AbCdEfGh-_12`,
        `daily-0800-UTC_20260302T080000Z_0_${bea}_0`,
        'test_0000000112345678',
      ]
      const { mailer, outbox, kept } = await filled(...adas, ...others)
      await outbox.forget(ada)
      expect((await kept()).toSorted()).toEqual(others.toSorted())
      expect(await mailer.evidence(adas[1] as string)).toBe('none')
      expect(await mailer.evidence(others[1] as string)).toBe('accepted')
      await outbox.forget(ada)
      await outbox.forget('c'.repeat(32))
      expect(await kept()).toHaveLength(others.length)
    })

    it('keeps those of one run, whose proof they are', async () => {
      const { mailer, outbox, kept } = await filled(
        `run-1_0_${ada}_0`,
        `run-1_0_${ada}_1`,
        `run-10_0_${ada}_0`,
        `a-run-1_0_${ada}_0`,
      )
      await outbox.forget(ada, 'run-1')
      expect((await kept()).toSorted()).toEqual([`run-1_0_${ada}_0`, `run-1_0_${ada}_1`])
      expect(await mailer.evidence(`run-1_0_${ada}_1`)).toBe('accepted')
    })
  })
}
