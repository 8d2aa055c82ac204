import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { stackOf } from '../connection.ts'
import { exitCodes, usageError } from '../exit.ts'
import type { GlobalOptions } from '../options.ts'
import { note, say, sayJson, styled } from '../output.ts'
import type { StepReport } from '../smoke/step.ts'

const marks = {
  done: styled('green', '✓'),
  skipped: styled('yellow', '–'),
  failed: styled('red', '✗'),
}

export function define(command: Command): void {
  command
    .addHelpText(
      'after',
      `
A post is published at the site, mailed to nobody, and waited for in
the feed; SES’s simulator addresses subscribe, and their bounce and complaint must come back; the
clock and the books are read. Everything is taken back at the end, also after a failure or Ctrl-C.
The post stands in the feeds of everything meanwhile: a minute or two, ten at most.
Ends with 1 at the step that failed, and says where to look.

Example:
  broadsheet smoke --stack Broadsheet`,
    )
    .action(async (_options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions>()
      const name = stackOf(options)
      if (!name) throw usageError('`smoke` tries a deployed stack: name it with `--stack NAME`.')
      await smoke(options, name)
    })
}

async function smoke(options: GlobalOptions, name: string): Promise<void> {
  const [{ openStack }, { runSmoke }] = await Promise.all([
    import('../stack/on-stack.ts'),
    import('../smoke/run-smoke.ts'),
  ])
  const open = await openStack(options, name)
  const interrupted = new AbortController()
  // What was made is taken back first; a second Ctrl-C does not wait for that.
  process.removeAllListeners('SIGINT')
  process.once('SIGINT', () => {
    note('Taking back what was made …')
    process.once('SIGINT', () => process.exit(exitCodes.interrupted))
    interrupted.abort(new Error('interrupted'))
  })
  const { signal } = interrupted
  const reports = await runSmoke(
    {
      ...open,
      mark: randomBytes(6).toString('hex'),
      pause: (seconds) =>
        setTimeout(seconds * 1000, undefined, { signal }).catch(() => {
          throw new Error('You stopped it.')
        }),
    },
    options.json ? () => {} : sayStep,
  )
  await open.connection.close()
  if (options.json) sayJson({ steps: reports })
  if (signal.aborted) process.exitCode = exitCodes.interrupted
  else if (reports.some(({ state }) => state === 'failed')) process.exitCode = exitCodes.failed
}

function sayStep({ name, state, seconds, message, look }: StepReport): void {
  say(`${marks[state]} ${name.padEnd(9)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${message}`)
  if (look) say(`  ${' '.repeat(20)} ${styled('dim', `→ ${look}`)}`)
}
