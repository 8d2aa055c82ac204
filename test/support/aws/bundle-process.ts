import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'

export interface StartedBundle {
  /** The handler's answer to an event that comes so many minutes after now. */
  call(event: unknown, minutes?: number): Promise<unknown>
  /** Ends the process; what it logged. */
  stop(): Promise<Record<string, unknown>[]>
}

/** Starts a bundle in a process of its own, as Lambda does, with a clock that can be ahead of ours. */
export async function startBundle(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<StartedBundle> {
  const program = `
    const { now } = Date
    let ahead = 0
    Date.now = () => now() + ahead
    globalThis.Date = class extends Date {
      constructor(...parts) {
        super(...(parts.length > 0 ? parts : [Date.now()]))
      }
    }
    const { handler } = await import(${JSON.stringify(pathToFileURL(file).href)})
    if (typeof handler !== 'function') throw new Error('no handler')
    const context = { awsRequestId: 'call-1', getRemainingTimeInMillis: () => 60_000 }
    process.on('disconnect', () => process.exit(0))
    process.on('message', async ({ event, minutes }) => {
      ahead = minutes * 60_000
      try {
        process.send({ answer: (await handler(event, context)) ?? null })
      } catch (error) {
        process.send({ fault: String(error?.stack) })
      }
    })
    process.send({})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let written = ''
  const { stderr } = child
  if (!stderr) throw new Error('its log cannot be read')
  stderr.setEncoding('utf8').on('data', (text: string) => {
    written += text
  })
  const ended = Promise.all([once(child, 'exit'), once(stderr, 'end')])
  const answered = async () => {
    const message = once(child, 'message') as Promise<[{ answer?: unknown; fault?: string }]>
    const [{ answer, fault = undefined }] = await Promise.race([
      message,
      ended.then(() => [{ answer: undefined, fault: written }]),
    ])
    if (fault !== undefined) throw new Error(fault)
    return answer
  }
  await answered()
  return {
    call: (event, minutes = 0) => {
      const answer = answered()
      child.send({ event, minutes })
      return answer
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      await ended
      const lines = written.split('\n').filter((line) => line.startsWith('{'))
      return lines.map((line) => JSON.parse(line))
    },
  }
}
