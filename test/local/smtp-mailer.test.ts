import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type SmtpMailerOptions, smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { aMessage, mailerContract } from '../contracts/mailer.ts'
import { ordinary, scripted } from '../support/scripted-smtp.ts'
import { answer, type SinkFaults, smtpSink } from '../support/smtp-sink.ts'

const now = () => new Date()

const later = () => new Date(Date.now() + 60_000)

mailerContract('SMTP', async () => {
  const sink = await smtpSink()
  const mailer = smtpMailer({ url: sink.url, now })
  return {
    mailer,
    delivered: async () => sink.mails,
    now,
    close: async () => {
      mailer.close()
      await sink.close()
    },
  }
})

async function open(faults: SinkFaults = {}, options: Partial<SmtpMailerOptions> = {}) {
  const sink = await smtpSink(faults)
  const mailer = smtpMailer({ url: sink.url, now, ...options })
  onTestFinished(async () => {
    mailer.close()
    await sink.close()
  })
  return { sink, mailer }
}

/** Patience ends when a test lets it: each stage is reached, however slow the machine is. */
function standingTimers() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  return { pass: (seconds: number): undefined => void vi.advanceTimersByTime(seconds * 1000) }
}

describe('what the server answers', () => {
  it.each([
    ['550 5.1.1 No such user', { status: 'rejected', address: true }],
    ['553 5.1.3 Bad destination', { status: 'rejected', address: true }],
    ['550 5.2.1 Mailbox disabled', { status: 'rejected', address: true }],
    ['550 5.7.1 Not wanted here', { status: 'rejected' }],
    ['550 5.1.8 Bad sender', { status: 'rejected' }],
    ['550 Not wanted here', { status: 'rejected' }],
    ['452 4.2.2 Mailbox full', { status: 'deferred', retryAfterSeconds: 3600, address: true }],
    ['451 4.7.1 Greylisted', { status: 'deferred', retryAfterSeconds: 300 }],
    ['450 Busy', { status: 'deferred', retryAfterSeconds: 300 }],
  ])('to the recipient with %s is weighed by its digits', async (text, wanted) => {
    const { sink, mailer } = await open({
      refuse: (to) =>
        to.startsWith('bad') ? answer(Number(text.slice(0, 3)), text.slice(4)) : undefined,
    })
    const outcome = await mailer.send(aMessage({ to: 'bad@example.org' }), later())
    expect(outcome).toEqual({ ...wanted, reason: text })
    // The line is still good.
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'sent' })
    expect(sink.mails.map(({ to }) => to)).toEqual(['reader@example.org'])
    expect(sink.connections()).toBe(1)
  })

  it.each([
    ['554 5.6.0 Looks like spam', { status: 'rejected' }],
    ['452 4.3.1 Try again later', { status: 'deferred', retryAfterSeconds: 300 }],
    ['552 5.2.2 Mailbox full', { status: 'rejected', address: true, soft: true }],
  ])('to the content with %s is final', async (text, wanted) => {
    const { sink, mailer } = await open({
      afterContent: () => answer(Number(text.slice(0, 3)), text.slice(4)),
    })
    expect(await mailer.send(aMessage(), later())).toEqual({ ...wanted, reason: text })
    expect(sink.mails).toEqual([])
  })

  it('to the sender’s address is never held against the reader’s', async () => {
    const url = await scripted(
      ordinary((line) => (line.startsWith('MAIL FROM') ? '550 5.1.0 Sender rejected' : null)),
    )
    const mailer = smtpMailer({ url, now })
    expect(await mailer.send(aMessage(), later())).toEqual({
      status: 'rejected',
      reason: '550 5.1.0 Sender rejected',
    })
    mailer.close()
  })

  it('offers reports, and is asked to name the delivery in them', async () => {
    const asked: string[] = []
    const url = await scripted(
      ordinary((line) => {
        if (line.startsWith('MAIL FROM')) asked.push(line)
        return line.startsWith('EHLO') ? '250-mail.example\r\n250 DSN' : null
      }),
    )
    const mailer = smtpMailer({ url, now })
    await mailer.send(aMessage(), later())
    await mailer.send(aMessage({ deliveryId: 'x'.repeat(101) }), later())
    expect(asked).toEqual([
      'MAIL FROM:<news@example.org> RET=HDRS ENVID=run-1_0_reader_0',
      'MAIL FROM:<news@example.org> RET=HDRS',
    ])
    mailer.close()
  })

  it('is kept without the reader’s address', async () => {
    const { mailer } = await open({
      refuse: (to) =>
        answer(550, `5.1.1 <${to}>: ${to.split('@')[0]} is unknown; ask other@example.com`),
    })
    const outcome = await mailer.send(aMessage({ to: 'ada.lovelace@example.org' }), later())
    expect(outcome).toEqual({
      status: 'rejected',
      address: true,
      reason: '550 5.1.1 <…>: … is unknown; ask …',
    })
  })

  it('names the mail for its operator', async () => {
    const { mailer } = await open()
    expect(await mailer.send(aMessage(), later())).toEqual({ status: 'sent', providerId: '4F3A11' })
  })

  it('to the greeting or the password is never held against the message', async () => {
    const busy = await scripted((line) => (line === 'CONNECT' ? '554 5.3.2 Not now' : undefined))
    const mailer = smtpMailer({ url: busy, now })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'deferred' })

    const { sink, mailer: refused } = await open({
      options: {
        authOptional: false,
        allowInsecureAuth: true,
        onAuth: (_auth, _session, callback) => callback(answer(535, '5.7.8 Wrong password')),
      },
    })
    const withPassword = smtpMailer({ url: sink.url.replace('//', '//me:secret@'), now })
    const outcome = await withPassword.send(aMessage(), later())
    expect(outcome).toMatchObject({ status: 'deferred', retryAfterSeconds: 300 })
    expect(JSON.stringify(outcome)).toContain('535')
    expect(JSON.stringify(outcome)).not.toContain('secret')
    expect(await refused.send(aMessage(), later())).toMatchObject({ status: 'rejected' })
  })

  it('about size is known before the content goes out', async () => {
    const { mailer } = await open({ options: { size: 100 } })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'rejected' })
  })
})

describe('a line that breaks', () => {
  it('before the content went out means later', async () => {
    const timers = standingTimers()
    const withoutTls = await scripted((line) => {
      if (line === 'CONNECT') timers.pass(30)
      return undefined
    })
    for (const url of [
      await scripted((_, socket) => void socket.destroy()),
      await scripted(
        ordinary((line, socket) => (line.startsWith('MAIL') ? void socket.destroy() : null)),
      ),
      await scripted(
        ordinary((line, socket) => (line.startsWith('RCPT') ? void socket.destroy() : null)),
      ),
      await scripted(ordinary((line, socket) => (line === 'DATA' ? void socket.destroy() : null))),
      'smtp://127.0.0.1:1',
      withoutTls.replace('smtp:', 'smtps:'),
      // Too long for a name: no resolver asks the network for it.
      `smtp://${'x'.repeat(64)}.invalid:25`,
    ]) {
      const mailer = smtpMailer({ url, now })
      const outcome = await mailer.send(aMessage(), later())
      expect(outcome, url).toMatchObject({ status: 'deferred' })
      mailer.close()
    }
  })

  it('after the content went out without an answer is unclear, and not tried again', async () => {
    let contents = 0
    const { sink, mailer } = await open({
      afterContent: () => {
        contents++
        return 'drop'
      },
    })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'unclear' })
    expect([contents, sink.connections()]).toEqual([1, 1])
  })

  it('and closes after the content with a plain refusal is a refusal', async () => {
    const url = await scripted(
      ordinary((line, socket) => {
        if (line !== 'END') return null
        socket.end('421 4.3.2 Shutting down\r\n')
        return undefined
      }),
    )
    const mailer = smtpMailer({ url, now })
    expect(await mailer.send(aMessage(), later())).toMatchObject({
      status: 'deferred',
      reason: '421 4.3.2 Shutting down',
    })
  })

  it('by never answering is given up in time: later before the content, unclear after it', async () => {
    const timers = standingTimers()
    for (const [stage, seconds, status] of [
      ['CONNECT', 30, 'deferred'],
      ['RCPT', 60, 'deferred'],
      ['END', 60, 'unclear'],
    ] as const) {
      const url = await scripted(
        ordinary((line) => (line.startsWith(stage) ? timers.pass(seconds) : null)),
      )
      const mailer = smtpMailer({ url, now })
      expect(await mailer.send(aMessage(), later()), stage).toMatchObject({ status })
      mailer.close()
    }
  })

  it('while it was kept is replaced, and the mail goes once', async () => {
    let isFirst = true
    let contents = 0
    const url = await scripted(
      ordinary((line, socket) => {
        if (line === 'END') contents++
        if (line.startsWith('MAIL') && contents === 1 && isFirst) {
          isFirst = false
          socket.destroy()
          return undefined
        }
        return null
      }),
    )
    const mailer = smtpMailer({ url, now, maxConnections: 1 })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'sent' })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'sent' })
    expect([contents, isFirst]).toEqual([2, false])
    mailer.close()
  })
})

describe('the instant `until`', () => {
  it('is looked at once more when the server is ready for the content', async () => {
    let present = new Date('2026-03-02T08:00:00Z')
    let contents = 0
    const url = await scripted(
      ordinary((line) => {
        if (line === 'DATA') present = new Date('2026-03-02T08:05:00Z')
        if (line === 'END') contents++
        return null
      }),
    )
    const mailer = smtpMailer({ url, now: () => present })
    const outcome = await mailer.send(aMessage(), new Date('2026-03-02T08:04:00Z'))
    expect(outcome).toMatchObject({ status: 'deferred', reason: 'too late' })
    expect(await mailer.send(aMessage(), new Date('2026-03-02T09:00:00Z'))).toMatchObject({
      status: 'sent',
    })
    expect(contents).toBe(1)
    mailer.close()
  })

  it('costs no connection when it went by while a mail waited for one', async () => {
    let present = new Date('2026-03-02T08:00:00Z')
    const { sink, mailer } = await open({}, { maxConnections: 2, now: () => present })
    const until = (minute: string) => new Date(`2026-03-02T08:${minute}:00Z`)
    const first = mailer.send(aMessage(), until('10'), async () => {
      present = until('05')
      return true
    })
    const others = [1, 2].map(() => mailer.send(aMessage(), until('04')))
    expect(await first).toMatchObject({ status: 'sent' })
    const tooLate = { status: 'deferred', reason: 'too late' }
    expect(await Promise.all(others)).toMatchObject([tooLate, tooLate])
    expect(await mailer.send(aMessage(), until('10'))).toMatchObject({ status: 'sent' })
    expect([sink.mails.length, sink.connections()]).toEqual([2, 1])
  })
})

it('lets a confirmation pass while the server takes its time for digests', async () => {
  const standing: (() => void)[] = []
  const { sink, mailer } = await open(
    {
      options: {
        onData(stream, session, callback) {
          const isDigest = session.envelope.rcptTo[0]?.address === 'reader@example.org'
          stream.resume()
          stream.on('end', () => {
            if (isDigest) standing.push(() => callback(null, 'Ok'))
            else callback(null, 'Ok')
          })
        },
      },
    },
    { maxConnections: 3 },
  )
  const digests = Array.from({ length: 6 }, () => mailer.send(aMessage(), later()))
  await vi.waitFor(() => expect(standing).toHaveLength(2))
  const mail = (to: string) => mailer.send(aMessage({ to, kind: 'transactional' }), later())
  expect(await mail('new@example.org')).toMatchObject({ status: 'sent' })
  // Its connection is kept for the next one, not for a digest.
  expect(await mail('newer@example.org')).toMatchObject({ status: 'sent' })
  expect([standing.length, sink.connections()]).toEqual([2, 3])
  while (standing.length > 0) {
    for (const answer of standing.splice(0)) answer()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (const outcome of await Promise.all(digests)) expect(outcome.status).toBe('sent')
})

it('has a connection, and the server ready, before a mail asks for its turn', async () => {
  const { sink, mailer } = await open({}, { maxConnections: 2 })
  const asked: ((mayLeave: boolean) => void)[] = []
  const leave = () => new Promise<boolean>((resolve) => asked.push(resolve))
  const sending = Array.from({ length: 3 }, () => mailer.send(aMessage(), later(), leave))
  for (let left = 0; left < 3; left++) {
    // The others wait for the connection, without a turn that would go by.
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    expect(sink.mails).toHaveLength(left)
    asked.shift()?.(true)
  }
  for (const outcome of await Promise.all(sending)) expect(outcome.status).toBe('sent')
})

it('keeps few connections and uses them again', async () => {
  const { sink, mailer } = await open({}, { maxConnections: 3 })
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => mailer.send(aMessage({ deliveryId: `d${i}` }), later())),
  )
  expect(sink.mails).toHaveLength(40)
  expect(sink.connections()).toBeLessThanOrEqual(3)
})
