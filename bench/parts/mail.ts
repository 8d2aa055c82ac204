import { createTransport } from 'nodemailer'
import { type Part, timed } from '../figure.ts'
import { addReaders, publishNews } from '../readers.ts'
import { openService } from '../service.ts'
import { smtpSink } from '../smtp-sink.ts'

/** A run to a mail server: from the tick until the books are closed, claims and rows synced. */
export const mailPart: Part = async ({ readers }) => {
  const sink = await smtpSink()
  const { perSecond, digest } = await sendDigest(sink.url, readers)
  // A limit that is never reached, so that all mails go through the pace.
  const paced = await sendDigest(sink.url, readers, 5000)
  const bare = await timed(() => nodemailerEach(sink.url, digest, readers))
  sink.stop()
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
    {
      name: 'the same with a limit of 5,000 a second',
      value: paced.perSecond,
      unit: 'mails/s',
      baseline: { name: 'without a limit', value: perSecond },
      ratio: paced.perSecond / perSecond,
      aim: 'ratio ≥ 0.5',
    },
  ]
}

async function sendDigest(smtpUrl: string, readers: number, limit?: number) {
  const service = await openService({ smtpUrl, ...(limit === undefined ? {} : { limit }) })
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
  await service.close()
  return { perSecond: (readers / ms) * 1000, digest }
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
