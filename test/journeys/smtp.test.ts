import PostalMime from 'postal-mime'
import { afterEach, describe, expect, it } from 'vitest'
import { smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { type SmtpSink, smtpSink } from '../support/smtp-sink.ts'
import { openService } from './service.ts'

let sink: SmtpSink | undefined
afterEach(async () => sink?.close())

describe('with a mail server', () => {
  it('the same mails go there: confirmation, digest, letter', async () => {
    sink = await smtpSink()
    const now = () => new Date('2026-03-02T08:00:00Z')
    const mailer = smtpMailer({ url: sink.url, now })
    const service = await openService({
      mailer: mailer.at(now),
      settings: { mail: { from: 'The Gazette <news@news.example>' } },
    })
    const form = { email: 'ada@example.org', cadence: 'daily', at: '08:00', timeZone: 'UTC' }
    await service.page('/subscribe', form)
    await service.platform.settle()
    const confirmation = await PostalMime.parse(sink.mails[0]?.raw ?? '')
    const link = /https:\/\/news\.example(\/confirm\/\S+)/.exec(confirmation.text ?? '')?.[1] ?? ''
    await service.page(link, {})

    await service.publish({ id: 'a', title: '新闻 für alle', content: 'Text.' })
    const { runs } = await service.tick('2026-03-03T08:00:00Z')
    expect(runs).toMatchObject([{ state: 'done', counts: { accepted: 1 } }])
    await service.publish({ id: 'l', title: 'A letter', content: 'Dear **all**.', mail: 'letter' })
    await service.platform.settle()

    expect(sink.mails.map(({ from, to }) => [from, to])).toEqual(
      Array(3).fill(['news@news.example', 'ada@example.org']),
    )
    const [, digest, letter] = await Promise.all(sink.mails.map(({ raw }) => PostalMime.parse(raw)))
    expect(digest?.subject).toContain('新闻 für alle')
    expect(digest?.from).toMatchObject({ name: 'The Gazette', address: 'news@news.example' })
    expect(digest?.text).toContain('新闻 für alle')
    expect(letter?.html).toContain('<strong>all</strong>')
    for (const line of sink.mails.flatMap(({ raw }) => raw.split('\r\n'))) {
      expect(line.length).toBeLessThanOrEqual(998)
    }
    mailer.close()
  })
})
