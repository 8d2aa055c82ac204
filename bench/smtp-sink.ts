import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'

/** A mail server that takes everything and keeps nothing, in a process of its own. */
export async function smtpSink(): Promise<{ url: string; stop(): void }> {
  const root = process.env.BROADSHEET_ROOT ?? '.'
  const child = fork(join(root, 'bin/run.js'), ['bench/main.ts', '--sink'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { url: `smtp://127.0.0.1:${message.port}`, stop: () => void child.kill() }
}

/** What the other process runs; ends with its parent. */
export function serveSink(): void {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, callback) {
      stream.resume()
      stream.on('end', () => callback(null, 'Ok'))
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.server.address() as AddressInfo).port })
  })
  process.on('disconnect', () => process.exit(0))
}
