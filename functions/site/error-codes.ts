/**
 * The stable codes of errors and what each is about, for the API's documentation. A test looks
 * through the sources and fails for a code that is not here.
 */
export const errorCodes: Readonly<Record<string, string>> = {
  'not-found': 'There is nothing of that name.',
  'too-large': 'The input is larger than what is taken.',
  internal: 'Something failed on our side; nothing was lost.',
  'key.missing': 'The request needs an API key.',
  'key.scope': 'The key may not do this.',
  'changed-meanwhile': 'Somebody else changed it first.',
  'malformed-json': 'The body is not JSON.',
  'invalid-input': 'The input has the wrong shape; `errors` names each field.',
}
