import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An HTTP proxy that gives an S3 emulator what it lacks: conditional writes and deletes, answered as
 * S3 does (412 `PreconditionFailed`), `Cache-Control` kept, and listings in the order of the keys'
 * bytes, encoded when asked for.
 * Requests of one key are worked one after the other, so that exactly one of many racers wins.
 */
export async function conditionalPutFront(upstream: { port: number }) {
  const queues = new Map<string, Promise<unknown>>()
  const cacheControls = new Map<string, string>()
  let conflicts = 0

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
    if (method === 'PUT' && conflicts > 0) {
      conflicts--
      return refuse(outgoing, 409, 'ConditionalRequestConflict')
    }
    const ifNoneMatch = headers['if-none-match']
    const ifMatch = headers['if-match']
    const isConditional = ifNoneMatch !== undefined || ifMatch !== undefined
    if ((method === 'PUT' || method === 'DELETE') && isConditional) {
      // The client signed another method; the emulator does not check, so its headers serve a HEAD as well.
      const head = await send('HEAD', incoming, Buffer.alloc(0))
      const etag = head.headers.etag
      const isThere = head.status === 200
      if (ifMatch !== undefined && !isThere) return refuse(outgoing, 404, 'NoSuchKey')
      if (ifNoneMatch === '*' && isThere) return refuse(outgoing, 412, 'PreconditionFailed')
      if (ifMatch !== undefined && etag !== ifMatch)
        return refuse(outgoing, 412, 'PreconditionFailed')
    }
    const query = new URL(incoming.url ?? '/', 'http://front').searchParams
    if (method === 'GET' && query.get('list-type') === '2') {
      return outgoing
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(await listing(incoming, query))
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

  /** All that the emulator lists under the prefix, sorted as S3 sorts, cut to the page asked for. */
  async function listing(incoming: IncomingMessage, query: URLSearchParams): Promise<string> {
    const found: { key: string; xml: string }[] = []
    const path = (incoming.url ?? '/').split('?')[0]
    const isEncoded = query.get('encoding-type') === 'url'
    for (let token: string | undefined, more = true; more; ) {
      const part = new URLSearchParams({ 'list-type': '2', prefix: query.get('prefix') ?? '' })
      if (token !== undefined) part.set('continuation-token', token)
      const { body } = await send('GET', incoming, Buffer.alloc(0), `${path}?${part}`)
      const xml = body.toString('utf8')
      for (const [, contents = ''] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = textOf(contents, 'Key')
        found.push({ key, xml: isEncoded ? withEncodedKey(contents, key) : contents })
      }
      token = textOf(xml, 'NextContinuationToken') || undefined
      more = token !== undefined
    }
    const bytes = (key: string) => Buffer.from(key)
    const after = query.get('start-after')
    const sorted = found
      .sort((a, b) => Buffer.compare(bytes(a.key), bytes(b.key)))
      .filter(({ key }) => after === null || Buffer.compare(bytes(key), bytes(after)) > 0)
    const page = sorted.slice(0, Number(query.get('max-keys') ?? 1000))
    const contents = page.map(({ xml }) => `<Contents>${xml}</Contents>`).join('')
    return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>${page.length}</KeyCount><IsTruncated>${page.length < sorted.length}</IsTruncated>${contents}</ListBucketResult>`
  }

  function send(method: string, incoming: IncomingMessage, body: Buffer, url = incoming.url) {
    const headers = { ...incoming.headers }
    if (method === 'HEAD') delete headers['content-length']
    if (method === 'HEAD') delete headers['transfer-encoding']
    return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>(
      (resolve, reject) => {
        const outgoing = request(
          { host: '127.0.0.1', port: upstream.port, method, path: url, headers },
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
    /** The next puts are refused as if another write of their key were under way. */
    conflictNext: (puts: number) => {
      conflicts = puts
    },
    /** How many of these are still to come. */
    conflictsLeft: () => conflicts,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** As S3 encodes keys: a blank is a plus, a slash stays. */
function withEncodedKey(contents: string, key: string): string {
  const encoded = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/')
  return contents.replace(/<Key>.*?<\/Key>/s, () => `<Key>${encoded}</Key>`)
}

function textOf(xml: string, name: string): string {
  const text = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? ''
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}

function refuse(outgoing: ServerResponse, status: number, code: string) {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body)
}
