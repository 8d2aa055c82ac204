import type { BenchService } from './service.ts'

/** Confirmed readers of everything, each day at eight, and the instant at which they are next due. */
export async function addReaders(service: BenchService, count: number): Promise<Date> {
  const consent = '2026-01-01T00:00:00Z'
  const rows = ['email,cadence,at,timeZone,confirmedAt,consent']
  for (let n = 0; n < count; n++) {
    rows.push(`reader-${n}@example.org,daily,08:00,UTC,${consent},bench`)
  }
  const response = await service.api(
    'POST',
    '/api/v1/subscribers/import',
    rows.join('\n'),
    'text/csv',
  )
  const added = (await response.text()).split('"added"').length - 1
  if (added !== count) throw new Error(`${added} of ${count} readers came in`)
  const due = new Date()
  due.setUTCDate(due.getUTCDate() + 1)
  due.setUTCHours(8, 0, 0, 0)
  return due
}

/** Twelve new posts, so that a digest has something to say. */
export async function publishNews(service: BenchService): Promise<void> {
  for (let n = 0; n < 12; n++) {
    const post = {
      title: `News ${n}`,
      categories: [`section-${(n % 4) + 1}`],
      content: `Paragraph ${n}. `.repeat(40),
    }
    const response = await service.api('POST', '/api/v1/posts', JSON.stringify(post))
    if (response.status !== 201) throw new Error(await response.text())
  }
}
