import PostalMime from 'postal-mime'
import { afterEach, describe, expect, it } from 'vitest'
import { smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { confirmReader } from '../digests/newsroom.ts'
import { statusReport } from '../mail/reports.ts'
import { answer, type SinkFaults, type SmtpSink, smtpSink } from '../support/smtp-sink.ts'
import { openService, type RunView, type Service } from './service.ts'

let sink: SmtpSink | undefined
afterEach(async () => sink?.close())

/** Ada and Bob read daily, by a mail server that refuses whom `faults` names. */
async function open(faults: SinkFaults) {
  sink = await smtpSink(faults)
  const now = () => new Date('2026-03-02T08:00:00Z')
  const mailer = smtpMailer({ url: sink.url, now })
  const service = await openService({ now: '2026-03-02T18:00:00Z', mailer: mailer.at(now) })
  await service.tick('2026-03-02T18:00:00Z')
  await confirmReader(service.platform, 'ada@example.org')
  await confirmReader(service.platform, 'bob@example.org')
  await service.publish({ title: 'The first post', content: 'Text.' })
  return { ...service, close: () => mailer.close(), sink }
}

async function newestRun({ api }: Pick<Service, 'api'>): Promise<RunView> {
  const page = (await (await api('GET', '/api/v1/runs?limit=1')).json()) as { items: RunView[] }
  return page.items[0] as RunView
}

describe('a mail that the server refuses', () => {
  it('fails with the reason, and `retry` sends what is still owed of it, to that reader only', async () => {
    let isRefused = true
    const { api, tick, sink, close } = await open({
      refuse: (to) =>
        isRefused && to.startsWith('ada')
          ? answer(550, '5.7.1 Blocked for <ada@example.org>')
          : undefined,
    })
    await tick('2026-03-03T08:00:00Z')
    const run = await newestRun({ api })
    expect(run).toMatchObject({ state: 'done', counts: { accepted: 1, failed: 1 } })
    const failed = await (await api('GET', `/api/v1/runs/${run.id}/deliveries?state=failed`)).json()
    expect(failed).toMatchObject({
      items: [{ state: 'failed', reason: '550 5.7.1 Blocked for <…>' }],
    })

    isRefused = false
    await api('POST', `/api/v1/runs/${run.id}/retry`)
    await tick('2026-03-03T08:05:00Z')
    expect((await newestRun({ api })).counts).toMatchObject({ accepted: 2, failed: 0 })
    expect(sink.mails.map(({ to }) => to).sort()).toEqual(['ada@example.org', 'bob@example.org'])
    close()
  })

  it('gives its posts to the next run, and nothing is owed to a later `retry`', async () => {
    let isRefused = true
    const { api, tick, publish, sink, close } = await open({
      refuse: (to) => (isRefused && to.startsWith('ada') ? answer(550, 'No') : undefined),
    })
    await tick('2026-03-03T08:00:00Z')
    const run = await newestRun({ api })
    isRefused = false
    await publish({ title: 'The second post', content: 'Text.' })
    await tick('2026-03-04T08:00:00Z')
    await api('POST', `/api/v1/runs/${run.id}/retry`)
    await tick('2026-03-04T08:05:00Z')
    const toAda = sink.mails.filter(({ to }) => to.startsWith('ada'))
    expect(toAda).toHaveLength(1)
    const { text } = await PostalMime.parse(toAda[0]?.raw ?? '')
    expect(text).toContain('The first post')
    expect(text).toContain('The second post')
    close()
  })

  it('for now goes out later, under the same id', async () => {
    let times = 0
    const { api, tick, sink, close } = await open({
      refuse: (to) =>
        to.startsWith('ada') && ++times < 3 ? answer(450, '4.2.0 Greylisted') : undefined,
    })
    for (const time of ['08:00', '08:10', '08:30', '09:00']) await tick(`2026-03-03T${time}:00Z`)
    expect(await newestRun({ api })).toMatchObject({ state: 'done', counts: { accepted: 2 } })
    expect(times).toBe(3)
    expect(sink.mails).toHaveLength(2)
    close()
  })
})

describe('a mail that comes back', () => {
  it('to the publisher’s mailbox and from there to us stops all mail to its reader', async () => {
    const { api, tick, publish, sink, close } = await open({})
    await tick('2026-03-03T08:00:00Z')
    const raw = sink.mails.find(({ to }) => to.startsWith('ada'))?.raw ?? ''
    const returned = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n')
    const report = statusReport({ finalRecipient: 'rfc822; ada@inside.example', returned })
    const told = await api('POST', '/api/v1/feedback', report, { 'content-type': 'message/rfc822' })
    expect(await told.json()).toMatchObject({ noted: 1, ignored: 0 })
    await publish({ title: 'The second post', content: 'Text.' })
    await tick('2026-03-04T08:00:00Z')
    expect(sink.mails.map(({ to }) => to).sort()).toEqual([
      'ada@example.org',
      'bob@example.org',
      'bob@example.org',
    ])
    expect((await newestRun({ api })).counts).toMatchObject({ candidates: 1, accepted: 1 })
    close()
  })
})
