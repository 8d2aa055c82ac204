import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface SmtpSink {
  url: string
  mails: { from: string; to: string; raw: string }[]
  /** How many were opened so far. */
  connections(): number
  close(): Promise<void>
}

export interface SinkFaults {
  /** By recipient: what RCPT answers. */
  refuse?: (to: string) => Error | undefined
  /** What is answered when the content has come; `drop` closes the line. */
  afterContent?: (to: string) => Error | 'drop' | undefined
  options?: SMTPServerOptions
}

/** An answer of the server, such as `answer(550, '5.1.1 No such user')`. */
export function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

/** An SMTP server that keeps what it gets, with faults on demand. */
export async function smtpSink(faults: SinkFaults = {}): Promise<SmtpSink> {
  const mails: SmtpSink['mails'] = []
  const sockets = new Set<Socket>()
  let opened = 0
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onRcptTo: ({ address }, _session, callback) => callback(faults.refuse?.(address)),
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo[0]?.address ?? ''
        const fault = faults.afterContent?.(to)
        if (fault === 'drop') {
          for (const socket of sockets) socket.destroy()
          return
        }
        if (fault) return callback(fault)
        const { mailFrom } = session.envelope
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to,
          raw: Buffer.concat(chunks).toString('utf8'),
        })
        callback(null, 'Ok: queued as 4F3A11')
      })
    },
    ...faults.options,
  })
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    opened++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    connections: () => opened,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
