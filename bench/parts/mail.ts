import { createTransport } from 'nodemailer'
import { type Part, timed } from '../figure.ts'
import { addReaders, publishNews } from '../readers.ts'
import { openService } from '../service.ts'
import { smtpSink } from '../smtp-sink.ts'

/** A run to a mail server: from the tick until the books are closed, claims and rows synced. */
export const mailPart: Part = async ({ readers }) => {
  const sink = await smtpSink()
  const service = await openService({ BROADSHEET_SMTP_URL: sink.url })
  await service.importPosts(0, 200)
  const due = await addReaders(service, readers)
  await publishNews(service)

  let accepted = 0
  const ms = await timed(async () => {
    const body = JSON.stringify({ now: due.toISOString() })
    const response = await service.api('POST', '/api/v1/tick', body)
    const { runs } = (await response.json()) as { runs: { counts: { accepted: number } }[] }
    for (const { counts } of runs) accepted += counts.accepted
  })
  if (accepted !== readers) throw new Error(`${accepted} of ${readers} were accepted`)

  const preview = await service.api('POST', '/api/v1/digests/preview', '{}')
  const digest = (await preview.json()) as { subject: string; html: string; text: string }
  const bare = await timed(() => nodemailerEach(sink.url, digest, readers))
  await service.close()
  sink.stop()
  const perSecond = (readers / ms) * 1000
  const barePerSecond = (readers / bare) * 1000
  return [
    {
      name: `mails composed and sent a second (${readers.toLocaleString('en')} readers)`,
      value: perSecond,
      unit: 'mails/s',
      baseline: {
        name: 'nodemailer composing the same digest for each, five connections, no ledger',
        value: barePerSecond,
      },
      ratio: perSecond / barePerSecond,
      aim: 'ratio ≥ 5',
    },
  ]
}

async function nodemailerEach(
  url: string,
  { subject, html, text }: { subject: string; html: string; text: string },
  readers: number,
): Promise<void> {
  const transport = createTransport({ url, pool: true, maxConnections: 5, maxMessages: 1e9 })
  const from = 'The Gazette <news@news.example>'
  await Promise.all(
    Array.from({ length: readers }, (_, n) =>
      transport.sendMail({ from, to: `reader-${n}@example.org`, subject, html, text }),
    ),
  )
  transport.close()
}
