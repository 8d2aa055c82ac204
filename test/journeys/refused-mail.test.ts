import { expect, onTestFinished } from 'vitest'
import { smtpMailer } from '../../functions/local/smtp-mailer.ts'
import { statusReport } from '../mail/reports.ts'
import { answer, smtpSink } from '../support/smtp-sink.ts'
import { refusedMailJourney, type ServiceWithProvider } from './refused-mail-journey.ts'
import { openService } from './service.ts'

const answers = {
  never: (to: string) => answer(550, `5.7.1 Blocked for <${to}>`),
  later: () => answer(450, '4.2.0 Greylisted'),
}

/** Mails go to a mail server; what comes back lies in the publisher's mailbox and is handed to us. */
async function openWithSmtp(): Promise<ServiceWithProvider> {
  let rule: Parameters<ServiceWithProvider['refuse']>[0] = () => undefined
  const sink = await smtpSink({
    refuse: (to) => {
      const said = rule(to)
      return said && answers[said](to)
    },
  })
  const now = () => new Date('2026-03-02T08:00:00Z')
  const mailer = smtpMailer({ url: sink.url, now })
  onTestFinished(async () => {
    mailer.close()
    await sink.close()
  })
  const service = await openService({ now: '2026-03-02T18:00:00Z', mailer: mailer.at(now) })
  return {
    service,
    refuse: (next) => {
      rule = next
    },
    sent: () => sink.mails,
    comesBack: async (to) => {
      const raw = sink.mails.find((mail) => mail.to === to)?.raw ?? ''
      const returned = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n')
      const report = statusReport({ finalRecipient: 'rfc822; ada@inside.example', returned })
      const type = { 'content-type': 'message/rfc822' }
      const told = await service.api('POST', '/api/v1/feedback', report, type)
      expect(await told.json()).toMatchObject({ noted: 1, ignored: 0 })
    },
    reason: '550 5.7.1 Blocked for <…>',
  }
}

refusedMailJourney('by SMTP', openWithSmtp)
