import { counted } from './output.ts'

/** How long a run will take, as the API gives it. */
export interface EstimateView {
  perSecond?: number
  remaining: number
  seconds?: number
  until?: string
}

/** `12,340 mails left at 13.4 a second: about 15 min, until 2026-03-02 09:15 UTC.` */
export function estimateText({ perSecond, remaining, seconds, until }: EstimateView): string {
  const mails = counted(remaining, 'mail')
  const pace = perSecond === undefined ? '' : ` at ${perSecond.toLocaleString('en')} a second`
  if (seconds === undefined || until === undefined) return `${mails} left${pace}.`
  const end = until.slice(0, 16).replace('T', ' ')
  return `${mails} left${pace}: about ${duration(seconds)}, until ${end} UTC.`
}

/** `40 s`, `15 min`, `3 h 20 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
