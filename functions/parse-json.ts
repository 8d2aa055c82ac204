import { ServiceError } from './errors.ts'

/**
 * Reads one JSON document; bytes must be UTF-8.
 *
 * @param what is named in the refusal, at the head of a sentence
 * @throws `malformed-json` (400)
 */
export function parseJson(source: string | Uint8Array, what = 'The body'): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? source : utf8.decode(source))
  } catch (cause) {
    throw new ServiceError(
      400,
      'malformed-json',
      `${what} is not JSON. Send one JSON document, UTF-8.`,
      { cause },
    )
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
