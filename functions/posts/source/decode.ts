import { invalid } from '../../errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const utf16le = new TextDecoder('utf-16le', { fatal: true })
const utf16be = new TextDecoder('utf-16be', { fatal: true })

/**
 * The bytes of a post as text with `\n` line ends and no byte order mark. UTF-8 with or without a
 * mark, UTF-16 of either order with one. Anything else is refused as `post.encoding`: a guessed
 * charset would publish mojibake under the author's name.
 */
export function decodeText(bytes: Uint8Array): string {
  const text = decodeBytes(bytes)
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

function decodeBytes(bytes: Uint8Array): string {
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16le.decode(bytes)
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16be.decode(bytes)
    // ASCII in UTF-16 without a mark is valid UTF-8 full of NULs.
    if (bytes[0] !== 0 && bytes[1] !== 0) return utf8.decode(bytes)
  } catch (cause) {
    throw badEncoding(cause)
  }
  throw badEncoding()
}

function badEncoding(cause?: unknown) {
  return invalid(
    'post.encoding',
    'The post is neither UTF-8 nor UTF-16 with a byte order mark. Save it as UTF-8 and publish it again.',
    { cause },
  )
}
