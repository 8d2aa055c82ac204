import { type IncomingMessage, createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An HTTP proxy that gives an S3 emulator what it lacks: conditional writes, answered as S3 does
 * (412 `PreconditionFailed`), and `Cache-Control` kept. Requests of one key are worked one after
 * the other, so that exactly one of many racers wins.
 */
export async function conditionalPutFront(upstream: { port: number }) {
  const queues = new Map<string, Promise<unknown>>()
  const cacheControls = new Map<string, string>()

  const server = createServer((incoming, outgoing) => {
    const key = new URL(incoming.url ?? '/', 'http://front').pathname
    const before = queues.get(key) ?? Promise.resolve()
    const mine = before
      .then(() => work(key, incoming, outgoing))
      .catch((error) => outgoing.writeHead(500).end(String(error)))
    queues.set(key, mine)
    mine.finally(() => {
      if (queues.get(key) === mine) queues.delete(key)
    })
  })

  async function work(key: string, incoming: IncomingMessage, outgoing: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const { method = 'GET', headers } = incoming
    const ifNoneMatch = headers['if-none-match']
    const ifMatch = headers['if-match']
    if (method === 'PUT' && (ifNoneMatch !== undefined || ifMatch !== undefined)) {
      // The client signed a PUT; the emulator does not check, so its headers serve a HEAD as well.
      const head = await send('HEAD', incoming, Buffer.alloc(0))
      const etag = head.headers.etag
      const isThere = head.status === 200
      if (ifMatch !== undefined && !isThere) return refuse(outgoing, 404, 'NoSuchKey')
      if (ifNoneMatch === '*' && isThere) return refuse(outgoing, 412, 'PreconditionFailed')
      if (ifMatch !== undefined && etag !== ifMatch) return refuse(outgoing, 412, 'PreconditionFailed')
    }
    const answer = await send(method, incoming, body)
    if (method === 'PUT' && answer.status === 200) {
      const rule = headers['cache-control']
      if (rule) cacheControls.set(key, rule)
      else cacheControls.delete(key)
    }
    const kept = cacheControls.get(key)
    if ((method === 'GET' || method === 'HEAD') && kept) answer.headers['cache-control'] = kept
    outgoing.writeHead(answer.status, answer.headers).end(answer.body)
  }

  function send(method: string, incoming: IncomingMessage, body: Buffer) {
    const headers = { ...incoming.headers }
    if (method === 'HEAD') delete headers['content-length']
    if (method === 'HEAD') delete headers['transfer-encoding']
    return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>(
      (resolve, reject) => {
        const outgoing = request(
          { host: '127.0.0.1', port: upstream.port, method, path: incoming.url, headers },
          async (answer) => {
            const chunks: Buffer[] = []
            for await (const chunk of answer) chunks.push(chunk as Buffer)
            resolve({
              status: answer.statusCode ?? 500,
              headers: answer.headers,
              body: Buffer.concat(chunks),
            })
          },
        )
        outgoing.on('error', reject)
        outgoing.end(body)
      },
    )
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

function refuse(outgoing: ServerResponse, status: number, code: string) {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body)
}
