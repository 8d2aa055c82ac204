import type { LambdaEvent } from 'hono/aws-lambda'

/** The host of a function URL, which is not the site's. */
export const functionHost = 'abcdefghij.lambda-url.eu-central-1.on.aws'

/**
 * What a function URL makes of a request: payload format 2.0, text bodies as they are and all
 * others in base64; of `X-Forwarded-For` it keeps the leftmost address, which is the caller's own
 * claim if the caller made one.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 *
 * @param sourceIp who called the URL: a client, or a server of CloudFront's
 */
export async function functionUrlEvent(
  path: string,
  init?: RequestInit,
  sourceIp = '203.0.113.7',
): Promise<LambdaEvent> {
  const request = new Request(new URL(path, `https://${functionHost}`), init)
  const { pathname, search } = new URL(request.url)
  const headers = Object.fromEntries(request.headers)
  const bytes = Buffer.from(await request.arrayBuffer())
  const [claimed = sourceIp] = headers['x-forwarded-for']?.split(',') ?? []
  const isText = /^(text\/|application\/(json|xml|javascript))/.test(headers['content-type'] ?? '')
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: {
      'x-amzn-trace-id': 'Root=1-65a1b2c3-0123456789abcdef01234567',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      ...headers,
      'x-forwarded-for': claimed.trim(),
      host: functionHost,
    },
    requestContext: {
      accountId: 'anonymous',
      apiId: 'abcdefghij',
      domainName: functionHost,
      domainPrefix: 'abcdefghij',
      http: {
        method: request.method,
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp,
        userAgent: 'test',
      },
      requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
      routeKey: '$default',
      stage: '$default',
      time: '02/Mar/2026:08:00:00 +0000',
      timeEpoch: 1_772_438_400_000,
    },
    isBase64Encoded: bytes.length > 0 && !isText,
    ...(bytes.length > 0 ? { body: bytes.toString(isText ? 'utf8' : 'base64') } : {}),
  }
  return event as unknown as LambdaEvent
}

/** The response that a function URL makes of a handler's answer. */
export function responseOf(answer: unknown): Response {
  const { statusCode, headers, body, isBase64Encoded } = answer as {
    statusCode: number
    headers?: Record<string, string>
    body?: string
    isBase64Encoded?: boolean
  }
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8')
  const isEmpty = [101, 204, 205, 304].includes(statusCode)
  return new Response(isEmpty ? null : bytes, {
    status: statusCode,
    ...(headers ? { headers } : {}),
  })
}
