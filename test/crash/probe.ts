import { existsSync, readFileSync } from 'node:fs'
import { openCrashRun } from './crash-run.ts'
import { checkEnd } from './ends.ts'

const [mail = 'outbox', n = '300', rounds = '4'] = process.argv.slice(2)
const t0 = performance.now()
const run = await openCrashRun({
  program: 'watched',
  mail: mail as 'outbox',
  readers: Number(n),
  refused: 0.01,
  env: { CRASH_STEPS: '/tmp/crash-steps.txt' },
})
const log = (what: string) => console.log(Math.round(performance.now() - t0), what)
try {
  await run.addReaders()
  log('readers')
  for (let r = 0; r < Number(rounds); r++) {
    await run.playRound(r)
    log(`round ${r} mails ${run.mailbox.look().size}`)
  }
  await run.playToTheEnd(Number(rounds))
  log('end')
  const end = await checkEnd(run)
  log(JSON.stringify({ ...end, faults: end.faults.slice(0, 20), n: end.faults.length }))
} catch (e) {
  console.log(e, run.service.errors().slice(-3000))
}
await run.close()
