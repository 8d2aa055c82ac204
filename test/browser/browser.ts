import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))

/** Why there is nothing to test with, if so. */
export const missingBrowser = executablePath ? undefined : 'no Chromium on this machine'

/** The system's Chromium without anything that asks the network. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="1200" height="800" fill="#8a8f8c"/><path d="M0 560h1200v240H0z" fill="#5c6462"/><circle cx="840" cy="300" r="90" fill="#d9d3c4"/><path d="M200 560l160-300 60 120 50-60 130 240z" fill="#3f4644"/></svg>`

/** Serves texts by path, with the headers that the service sends. */
export async function serveTexts(
  texts: ReadonlyMap<string, { type: string; body: string; csp?: string }>,
): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, response) => {
    const found = texts.get(decodeURI(new URL(request.url ?? '/', 'http://x').pathname))
    response.writeHead(found ? 200 : 404, {
      'content-type': found?.type ?? 'text/plain',
      'content-security-policy':
        found?.csp ??
        "default-src 'none'; style-src 'self'; img-src 'self' data: https: http:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    })
    response.end(found?.body ?? 'not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, server }
}
