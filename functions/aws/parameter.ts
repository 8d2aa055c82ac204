import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { SignatureV4 } from '@smithy/signature-v4'

type Environment = Readonly<Record<string, string | undefined>>

/** Functions that start together share 40 questions a second; a refused one is asked again. */
const mostTries = 5

/**
 * The value of a parameter of Systems Manager, asked with the credentials of a function's
 * environment. One signed request: the service's own client would be a fifth of what a function loads.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 *
 * @throws Error that names the parameter and what the service answered, never the credentials.
 */
export async function readParameter(
  name: string,
  environment: Environment,
  pauseMilliseconds = 100,
): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { status, text } = await ask(name, environment)
    if (status === 200) {
      const value = (JSON.parse(text) as { Parameter?: { Value?: unknown } }).Parameter?.Value
      if (typeof value === 'string' && value !== '') return value
      throw new Error(`the parameter ${name} has no value`)
    }
    const isPassing = status === 0 || status === 429 || status >= 500 || /Throttl/i.test(text)
    if (!isPassing || tries === mostTries) {
      throw new Error(`the parameter ${name} cannot be read: ${status} ${text.slice(0, 300)}`)
    }
    // Spread, so that those who were refused together do not come back together.
    await wait(pauseMilliseconds * 2 ** tries * (0.5 + Math.random() / 2))
  }
}

/** Status 0 stands for no answer at all. */
async function ask(name: string, environment: Environment) {
  const region = environment.AWS_REGION ?? ''
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const url = new URL(environment.AWS_ENDPOINT_URL_SSM ?? `https://ssm.${region}.${suffix}`)
  const body = JSON.stringify({ Name: name })
  const signer = new SignatureV4({
    service: 'ssm',
    region,
    sha256: Sha256,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
      ...(environment.AWS_SESSION_TOKEN ? { sessionToken: environment.AWS_SESSION_TOKEN } : {}),
    },
  })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    query: {},
    headers: {
      host: url.host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    },
    body,
  })
  // Derived from the address; a client may not say it.
  const { host: _, ...sent } = headers
  try {
    const init = { method: 'POST', headers: sent, body, signal: AbortSignal.timeout(5000) }
    const response = await fetch(url, init)
    return { status: response.status, text: await response.text() }
  } catch (error) {
    return { status: 0, text: String(error) }
  }
}

/** SHA-256, or HMAC with a key, as the signer asks for it. */
class Sha256 {
  private readonly hash: Hash | Hmac

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
