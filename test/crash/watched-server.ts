import { appendFileSync } from 'node:fs'
import { configuration } from '../../cli/configuration.ts'
import { freePort } from '../../cli/free-port.ts'
import { createApp } from '../../functions/app.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { localPlatform } from '../../functions/local/platform.ts'
import { startServer } from '../../functions/local/server.ts'
import { type Control, faultyMailer, movedClock } from './faulty-mailer.ts'
import { watchedPorts } from './watched-ports.ts'

/**
 * What `broadsheet start --json` does, with watched ports: the process kills itself right after the
 * persistent step that `CRASH_AFTER` names (`put ledgerRow#3`: after the third), and notes each step
 * that it took in the file `CRASH_STEPS`. With `CRASH_FAULTS` its mailer misbehaves, and its clock
 * can be moved by messages of its parent.
 */
const { CRASH_AFTER = '', CRASH_STEPS, CRASH_FAULTS } = process.env
const [deadly, times = '1'] = CRASH_AFTER.split('#')
const taken = new Map<string, number>()

function onStep(step: string): void {
  const count = (taken.get(step) ?? 0) + 1
  taken.set(step, count)
  if (count === 1 && CRASH_STEPS) appendFileSync(CRASH_STEPS, `${step}\n`)
  if (step === deadly && count === Number(times)) process.kill(process.pid, 'SIGKILL')
}

const host = '127.0.0.1'
const port = await freePort(host)
const settings = configuration({ config: 'broadsheet.yaml' }, { host, port })
const clock = movedClock()
const control: Control | undefined = CRASH_FAULTS ? { clock, rules: CRASH_FAULTS } : undefined
const platform = await localPlatform({
  data: 'data',
  settings,
  log: jsonLog({ level: 'warn', write: (line) => process.stderr.write(`${line}\n`) }),
  now: clock.now,
  decorate: (parts) => {
    const watched = watchedPorts(parts, onStep)
    return control ? faultyMailer(watched, control) : watched
  },
})
const server = await startServer({ platform, app: createApp(platform), host, port })
process.stdout.write(`${JSON.stringify({ pid: process.pid, address: server.url })}\n`)
// An orphan would keep the folder.
process.on('disconnect', () => process.exit(1))
