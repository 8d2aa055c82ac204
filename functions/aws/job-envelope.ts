import type { Job } from '../jobs.ts'

/** What a message of a lane holds. */
export interface Envelope {
  id: string
  job: Job
}

/** The job of a message, or `undefined` when the body is none of ours. */
export function readEnvelope(body: string | undefined): Envelope | undefined {
  try {
    const value = JSON.parse(body ?? '') as Partial<Envelope> | null
    if (typeof value?.id !== 'string' || typeof value.job?.kind !== 'string') return undefined
    return value as Envelope
  } catch {
    return undefined
  }
}
