import { getSubscriber } from '../../../functions/subscribers/store.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { openService } from '../../journeys/service.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

export const ada = 'ada@example.org'

/** A service that has mailed a digest to Ada, and whoever else reads it. */
export async function mailed(options: { others?: string[]; hasEvidence?: boolean } = {}) {
  const mailer = scriptedMailer({ hasEvidence: options.hasEvidence ?? true })
  const { platform, api, app } = await openService({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const id = await confirmReader(platform, ada)
  for (const email of options.others ?? []) await confirmReader(platform, email)
  await publishArticle(platform, { title: 'Post A' })
  const send = async (day = '2026-03-02') => {
    await tickAt(platform, `${day}T08:00:00Z`)
    return mailer.sent.filter(({ to }) => to === ada).at(-1)?.deliveryId ?? ''
  }
  const reader = async () => (await getSubscriber(platform, id))?.value as Subscriber
  const tell = async (body: unknown, type = 'application/json', query = '') => {
    const response = await api('POST', `/api/v1/feedback${query}`, body, { 'content-type': type })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const everything = async () => JSON.stringify([await reader(), await runs()])
  const runs = async () => (await api('GET', '/api/v1/runs')).json()
  return { platform, api, app, mailer, id, send, reader, tell, everything }
}

export const noted = { status: 200, body: { noted: 1, ignored: 0 } }

export const ignored = { status: 200, body: { noted: 0, ignored: 1 } }
