import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A server that says what it is told to, line by line, to each command. */
export async function scripted(reply: (line: string, socket: Socket) => string | undefined) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const say = (text: string | undefined) => text !== undefined && socket.write(`${text}\r\n`)
    say(reply('CONNECT', socket))
    let rest = ''
    socket.on('data', (chunk) => {
      rest += chunk.toString()
      const lines = rest.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) say(reply(line, socket))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers like any server, unless `over` knows better. */
export function ordinary(over: (line: string, socket: Socket) => string | undefined | null) {
  const inContent = new WeakSet<Socket>()
  return (line: string, socket: Socket): string | undefined => {
    const isContent = inContent.has(socket)
    const special = over(isContent ? (line === '.' ? 'END' : 'CONTENT') : line, socket)
    if (special !== null) return special
    if (isContent) {
      if (line !== '.') return undefined
      inContent.delete(socket)
      return '250 2.0.0 Ok: queued as 12AB'
    }
    if (line === 'CONNECT') return '220 mail.example'
    if (line === 'DATA') {
      inContent.add(socket)
      return '354 go on'
    }
    return line === 'QUIT' ? '221 bye' : '250 ok'
  }
}
