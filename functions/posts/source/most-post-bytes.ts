/** Bytes of one post's source at most, whichever way it comes: 5 MB. */
export const mostPostBytes = 5 * 1024 * 1024
