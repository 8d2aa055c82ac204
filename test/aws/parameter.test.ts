import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { readParameter } from '../../functions/aws/parameter.ts'
import { siteAddress } from '../../functions/aws/site-address.ts'

interface Asked {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/**
 * A server that gives the answers one after the other, the last for ever, and keeps what it was
 * asked. Status 0 is no answer at all.
 */
async function parameterServer(...answers: [status: number, body: string][]) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request
    asked.push({ method, path, headers, body: await text(request) })
    const [status, body] = answers[Math.min(asked.length, answers.length) - 1] ?? [500, '']
    if (status > 0) response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret/key',
    AWS_SESSION_TOKEN: 'session',
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  }
  return { asked, environment, read: () => readParameter('/Broadsheet/address', environment, 1) }
}

const found: [number, string] = [200, '{"Parameter":{"Value":"https://news.example"}}']

/**
 * Signature Version 4 as AWS describes it, of what came over the line:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signatureOf({ method, path, headers, body }: Asked): string {
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? ''
  const hash = (data: string) => createHash('sha256').update(data).digest('hex')
  const hmac = (key: string | Buffer, data: string) =>
    createHmac('sha256', key).update(data).digest()
  const lines = signed.split(';').map((name) => `${name}:${headers[name]}\n`)
  const canonical = [method, path, '', lines.join(''), signed, hash(body)].join('\n')
  const time = String(headers['x-amz-date'])
  const scope = `${time.slice(0, 8)}/eu-central-1/ssm/aws4_request`
  const key = scope.split('/').reduce<string | Buffer>(hmac, 'AWS4secret/key')
  return hmac(key, ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex')
}

describe('the parameter that a function reads at start', () => {
  it('is asked for with a signature of the function’s own credentials', async () => {
    const { asked, read } = await parameterServer(found)
    await expect(read()).resolves.toBe('https://news.example')
    const [one] = asked
    if (!one) throw new Error('nothing was asked')
    expect(one).toMatchObject({
      method: 'POST',
      path: '/',
      body: '{"Name":"/Broadsheet/address"}',
      headers: { 'x-amz-target': 'AmazonSSM.GetParameter', 'x-amz-security-token': 'session' },
    })
    expect(one.headers.authorization).toMatch(/SignedHeaders=[^,]*host[^,]*x-amz-security-token/)
    expect(one.headers.authorization).toContain(`Signature=${signatureOf(one)}`)
  })

  it('is asked for again while the service is too busy to say', async () => {
    const { asked, read } = await parameterServer(
      [400, '{"__type":"ThrottlingException","message":"Rate exceeded"}'],
      [500, ''],
      found,
    )
    await expect(read()).resolves.toBe('https://news.example')
    expect(asked).toHaveLength(3)
  })

  it.each<[string, [number, string], number, RegExp]>([
    ['not there', [400, '{"__type":"ParameterNotFound"}'], 1, /cannot be read: 400 .*NotFound/],
    ['not for us', [400, '{"__type":"AccessDeniedException"}'], 1, /AccessDenied/],
    ['empty', [200, '{"Parameter":{"Value":""}}'], 1, /has no value/],
    ['never answered', [503, 'busy'], 5, /cannot be read: 503 busy/],
  ])('that is %s fails the start by its name', async (_, answer, times, message) => {
    const { asked, read } = await parameterServer(answer)
    const fault = await read().catch((error: Error) => error.message)
    expect(fault).toMatch(message)
    expect(fault).toContain('/Broadsheet/address')
    expect(fault).not.toMatch(/secret|session/)
    expect(asked).toHaveLength(times)
  })
})

describe('the site’s address, as a function knows it', () => {
  const saying = (address: string): [number, string] => [
    200,
    JSON.stringify({ Parameter: { Value: address } }),
  ]
  const old = 'https://d111.cloudfront.net'
  const parameter = { BROADSHEET_ADDRESS_PARAMETER: '/Broadsheet/address' }

  async function knowing(...answers: [number, string][]) {
    const { asked, environment } = await parameterServer(...answers)
    let time = 0
    const address = siteAddress({ ...environment, ...parameter }, { now: () => time, patience: 20 })
    return { asked, after: (seconds: number) => (time += seconds * 1000) && address(), address }
  }

  it('is what the deployment says, and nobody is asked', async () => {
    const { asked, environment } = await parameterServer(saying(old))
    const variable = { BROADSHEET_ADDRESS: 'https://news.example' }
    const address = siteAddress({ ...environment, ...variable })
    await expect(address()).resolves.toBe('https://news.example')
    expect(asked).toEqual([])
  })

  it('is read again each minute, so that an update that writes it late is seen', async () => {
    const { asked, address, after } = await knowing(saying(old), saying('https://news.example'))
    await expect(address()).resolves.toBe(old)
    await expect(after(59)).resolves.toBe(old)
    expect(asked).toHaveLength(1)
    await expect(after(1)).resolves.toBe('https://news.example')
    await expect(after(59)).resolves.toBe('https://news.example')
    expect(asked).toHaveLength(2)
  })

  it.each<[string, [number, string]]>([
    ['refused', [400, '{"__type":"AccessDeniedException"}']],
    ['not answered', [0, '']],
  ])('stays as it was for another minute when a reading is %s', async (_, answer) => {
    const { asked, address, after } = await knowing(saying(old), answer)
    await address()
    await expect(after(60)).resolves.toBe(old)
    await expect(after(59)).resolves.toBe(old)
    expect(asked).toHaveLength(2)
  })

  it('has to be known for a function to start', async () => {
    const { address } = await knowing([400, '{"__type":"ParameterNotFound"}'], saying(old))
    await expect(address()).rejects.toThrow('/Broadsheet/address')
    await expect(address()).resolves.toBe(old)
    expect(() => siteAddress({})).toThrow('BROADSHEET_ADDRESS_PARAMETER is missing')
  })
})
