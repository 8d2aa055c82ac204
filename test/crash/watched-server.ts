import { appendFileSync } from 'node:fs'
import { configuration } from '../../cli/configuration.ts'
import { freePort } from '../../cli/free-port.ts'
import { createApp } from '../../functions/app.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { localPlatform } from '../../functions/local/platform.ts'
import { startServer } from '../../functions/local/server.ts'
import { tick } from '../../functions/tick.ts'
import { type Control, faultyMailer, type Move, movedClock } from './faulty-mailer.ts'
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
  log: jsonLog({ level: 'warn' }),
  now: clock.now,
  decorate: (parts) => {
    const watched = watchedPorts(parts, onStep)
    return control ? faultyMailer(watched, control) : watched
  },
})
const server = await startServer({ platform, app: createApp(platform), host, port })
process.stdout.write(`${JSON.stringify({ pid: process.pid, address: server.url })}\n`)
// As a worker elsewhere would, whom nothing keeps from judging the claims of those who sleep here.
process.on('message', async (move: Move) => {
  if (!('judge' in move)) return
  const elsewhere = platform.machine.at(new Date(move.judge))
  await tick(elsewhere, { driveAll: true, isAhead: true })
  await elsewhere.machine?.drain()
  process.send?.(move)
})
// An orphan would keep the folder.
process.on('disconnect', () => process.exit(1))
