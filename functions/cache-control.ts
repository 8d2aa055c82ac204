/** A browser asks again each time and gets a 304; an edge in front may keep it for a minute. */
export const pageCacheControl = 'public, max-age=0, s-maxage=60'

/** The address changes with the bytes. */
export const assetCacheControl = 'public, max-age=31536000, immutable'
