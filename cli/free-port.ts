import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** A port that is free now: addresses in feeds must be known before the server listens. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
