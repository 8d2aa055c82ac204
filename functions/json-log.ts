import { AsyncLocalStorage } from 'node:async_hooks'
import type { Json, Log } from './platform.ts'

const logLevels = ['info', 'warn', 'error', 'silent'] as const
type LogLevel = (typeof logLevels)[number]

export interface JsonLogOptions {
  /** Lines below it are dropped. @default 'info' */
  level?: LogLevel
  /** Takes a line without its end. @default stderr */
  write?: (line: string) => void
}

export type LogFields = Record<string, Json | undefined>

const about = new AsyncLocalStorage<LogFields>()

/**
 * Runs some work of which every line bears these fields, whoever writes it and however deep: the id
 * of the request or of the job. They take the place of those of whoever starts the work.
 */
export function logAbout<T>(fields: LogFields, work: () => T): T {
  return about.run(fields, work)
}

/**
 * One JSON object a line, on stderr: stdout belongs to answers. What fails keeps its chain of
 * causes; a fault's own text may name a path, never a reader (they are known by ids alone).
 */
export function jsonLog(options: JsonLogOptions = {}): Log {
  const lowest = logLevels.indexOf(options.level ?? 'info')
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`))

  function line(level: LogLevel, event: string, fields: LogFields = {}) {
    if (logLevels.indexOf(level) < lowest) return
    const time = new Date().toISOString()
    write(JSON.stringify({ time, level, event, ...about.getStore(), ...fields }))
  }
  return {
    info: (event, fields) => line('info', event, fields),
    warn: (event, fields) => line('warn', event, fields),
    error: (event, error, fields) => line('error', event, { ...fields, error: describe(error) }),
  }
}

const mostCauses = 5
const mostText = 4000

function describe(error: unknown): Json {
  const chain: { [key: string]: Json | undefined }[] = []
  for (let one = error; one !== undefined && chain.length < mostCauses; ) {
    if (!(one instanceof Error)) {
      chain.push({ message: String(one).slice(0, mostText) })
      break
    }
    const { code } = one as { code?: unknown }
    chain.push({
      name: one.name,
      message: one.message.slice(0, mostText),
      ...(typeof code === 'string' ? { code } : {}),
      ...(chain.length === 0 ? { stack: one.stack?.slice(0, mostText) } : {}),
    })
    one = one.cause
  }
  const [first, ...causes] = chain
  return causes.length > 0 ? { ...first, causes } : (first ?? null)
}
