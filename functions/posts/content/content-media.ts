import type { PostImage } from '../post.ts'
import {
  addToRun,
  escapeAttribute,
  escapeText,
  type Open,
  type Walk,
  writeInCell,
} from './content-walk.ts'
import { resolveUrl } from './urls.ts'

type Attributes = Readonly<Record<string, string>>

const imageLimit = 50

/** Writes an image, or its description where its address is none that every reader can load. */
export function writeImage(walk: Walk, attributes: Attributes): void {
  const alt = cleanAttribute(attributes.alt ?? '')
  const src = imageAddress(attributes, walk.options.baseUrl)
  if (src === undefined) {
    if (alt === '') return
    writeInCell(walk, escapeText(alt))
    walk.units++
    walk.text.text(alt)
    return addToRun(walk, alt)
  }
  const width = pixels(attributes.width)
  const height = pixels(attributes.height)
  const title = cleanAttribute(attributes.title ?? '')
  const html =
    `<img src="${escapeAttribute(src)}" alt="${escapeAttribute(alt)}"` +
    (title === '' ? '' : ` title="${escapeAttribute(title)}"`) +
    (width === undefined ? '' : ` width="${width}"`) +
    (height === undefined ? '' : ` height="${height}"`)
  writeInCell(walk, `${html}>`)
  walk.units++
  if (alt !== '') walk.text.text(` [${alt}] `)
  if (walk.images.length < imageLimit) {
    const image: PostImage = { url: src }
    if (alt !== '') image.alt = alt
    if (width !== undefined) image.width = width
    if (height !== undefined) image.height = height
    walk.images.push(image)
  }
}

/** Lazy loaders keep the address elsewhere and a placeholder in `src`. */
function imageAddress(attributes: Attributes, baseUrl: string): string | undefined {
  const lazy = attributes['data-src'] ?? attributes['data-original'] ?? attributes['data-lazy-src']
  for (const address of [lazy, attributes.src]) {
    const url = address === undefined ? undefined : resolveUrl(address, baseUrl, 'image')
    if (url !== undefined) return url
  }
  return undefined
}

/** Puts a link in the place of a film or sound, once; `open` is the element that stands for it. */
export function offerMedia(walk: Walk, open: Open | undefined, attributes: Attributes): void {
  if (!open || open.isLinked || (open.name !== 'video' && open.name !== 'audio')) return
  // Inside of a dropped element it is dropped, too.
  if (walk.dropDepth > (open.isDropped ? 1 : 0) || attributes.src === undefined) return
  open.isLinked = writeOutsideLink(walk, attributes.src, attributes.title)
}

/** Writes a link to what cannot stand in a feed or mail (a film, a frame); false when there is none. */
export function writeOutsideLink(
  walk: Walk,
  address: string | undefined,
  title: string | undefined,
): boolean {
  const url = address === undefined ? undefined : resolveUrl(address, walk.options.baseUrl, 'image')
  if (url === undefined) return false
  const href = watchAddress(url)
  const label = cleanAttribute(title ?? '') || href
  const isInLink = walk.depth.a > 0
  const text = escapeText(label)
  writeInCell(walk, isInLink ? text : `<a href="${escapeAttribute(href)}">${text}</a>`)
  walk.units++
  walk.text.text(label === href ? ` ${href} ` : ` ${label} <${href}> `)
  return true
}

/** The page of an embedded film, where its address tells. */
function watchAddress(url: string): string {
  const [, youtube] =
    /^https?:\/\/(?:www\.)?youtube(?:-nocookie)?\.com\/embed\/([\w-]{6,20})/.exec(url) ?? []
  if (youtube !== undefined) return `https://www.youtube.com/watch?v=${youtube}`
  const [, vimeo] = /^https?:\/\/player\.vimeo\.com\/video\/(\d+)/.exec(url) ?? []
  return vimeo === undefined ? url : `https://vimeo.com/${vimeo}`
}

function pixels(value: string | undefined): number | undefined {
  const number = Number(/^\s*(\d{1,5})(?:\.\d*)?(?:px)?\s*$/.exec(value ?? '')?.[1] ?? Number.NaN)
  return number >= 2 && number <= 10_000 ? number : undefined
}

const forbidden = /[\0-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]|\p{Surrogate}/gu

/** The value of an attribute without control characters, blanks collapsed, at most 1,000 characters. */
export function cleanAttribute(value: string): string {
  return value.slice(0, 1000).replace(/\s+/g, ' ').replace(forbidden, '').trim()
}
