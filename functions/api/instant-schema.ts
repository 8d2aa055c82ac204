import * as v from 'valibot'
import { isRealDay } from '../is-real-day.ts'

/** An RFC 3339 instant in a request, of a day that the calendar has. */
export const instantSchema = v.pipe(
  v.string(),
  v.isoTimestamp('must be an RFC 3339 instant such as `2026-03-02T08:00:00Z`'),
  v.check(isRealDay, 'must be a day of the calendar'),
)
