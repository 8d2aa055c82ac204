import { describe, expect, it, onTestFinished } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { readSmtpUrl } from '../../functions/local/smtp-url.ts'
import { aMessage } from '../contracts/mailer.ts'
import { ordinary, scripted } from '../support/scripted-smtp.ts'
import { smtpSink } from '../support/smtp-sink.ts'

describe('a password', () => {
  it('never goes over a line without TLS, unless the host is this machine', () => {
    expect(readSmtpUrl('smtp://me:secret@mail.example').requiresTls).toBe(true)
    expect(readSmtpUrl('smtp://mail.example').requiresTls).toBe(false)
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.9.9.9']) {
      expect(readSmtpUrl(`smtp://me:secret@${host}:1025`).requiresTls).toBe(false)
    }
    for (const host of ['127.0.0.1.example', 'localhost.example', '10.0.0.1']) {
      expect(readSmtpUrl(`smtp://me:secret@${host}`).requiresTls).toBe(true)
    }
  })

  it('is not sent when the server offers no STARTTLS', async () => {
    const lines: string[] = []
    const url = await scripted(
      ordinary((line) => {
        lines.push(line)
        if (line === 'STARTTLS') return '502 5.5.1 Unknown command'
        return line.startsWith('EHLO') ? '250-mail.example\r\n250 AUTH PLAIN LOGIN' : null
      }),
    )
    const { smtpPool } = await import('../../functions/local/smtp-pool.ts')
    const pool = smtpPool(
      { ...readSmtpUrl(url), user: 'me', password: 'secret', requiresTls: true, isLoopback: false },
      { connectMs: 2000, silenceMs: 2000 },
    )
    await expect(pool.acquire()).rejects.toThrow()
    expect(lines).toContain('STARTTLS')
    expect(lines.join('\n')).not.toMatch(/AUTH/)
  })

  it('is what a mail waits for, and its reason says so', async () => {
    const sink = await smtpSink()
    onTestFinished(() => sink.close())
    const url = sink.url.replace('//127.0.0.1', '//me:secret@0.0.0.0')
    const mailer = smtpMailer({ url, now: () => new Date() })
    expect(await mailer.send(aMessage(), new Date(Date.now() + 60_000))).toMatchObject({
      status: 'deferred',
      reason: 'the mail server offers no TLS, without which no password is sent',
    })
    expect(sink.mails).toEqual([])
    mailer.close()
  })

  it('is never repeated by a refusal of the address', () => {
    for (const url of [
      'smtp//me:hunter2@x',
      'http://me:hunter2@x',
      'smtp://me:hunter2@',
      'smtp://hunter2@x',
    ]) {
      try {
        readSmtpUrl(url)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError)
        expect((error as ServiceError).code).toBe('smtp.url')
        expect((error as ServiceError).message).not.toContain('hunter2')
      }
    }
  })

  it('may have any characters, percent-encoded', () => {
    expect(readSmtpUrl('smtps://me%40x.example:p%3Ass%2Fw%40rd@mail.example')).toEqual({
      host: 'mail.example',
      port: 465,
      isSecure: true,
      requiresTls: false,
      isLoopback: false,
      user: 'me@x.example',
      password: 'p:ss/w@rd',
    })
  })
})
