/**
 * What a page of the site may load: no script, styles of our own, media of posts from anywhere.
 * Without imports: the app and `infra/` read the same text.
 */
export const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'https:', 'http:'],
  mediaSrc: ['https:', 'http:'],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
}
