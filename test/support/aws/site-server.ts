import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (path: string, init: RequestInit) => Promise<Response>

/** The deployed site at an address of its own: HTTP in front of the `web` doorway. */
export async function siteServer() {
  let answer: Answer = async () => new Response('nothing is deployed', { status: 503 })
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { method = 'GET', headers, url = '/' } = incoming
    const response = await answer(url, {
      method,
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    }).catch((error) => new Response(String(error), { status: 502 }))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (next: Answer) => {
      answer = next
    },
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
