/**
 * From these ages on of its oldest message, in seconds, a lane is behind: its alarm rings and `doctor`
 * says so. A job that failed once comes again after the queue's visibility time-out, six minutes, and
 * is no news.
 */
export const mostAge = { urgent: 600, work: 900 } as const
