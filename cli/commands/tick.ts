import type { Command } from 'commander'
import { works } from '../action.ts'
import { usageError } from '../exit.ts'
import { say, sayJson } from '../output.ts'
import { type RunView, runTable } from '../run-table.ts'

export function define(command: Command): void {
  works<{ now?: string }>(
    command
      .option('--now <instant>', 'as if it were this instant (RFC 3339), default: now')
      .addHelpText(
        'after',
        `
Due digests are sent, posts dated in the future appear when their time has come, whatever stood
still goes on. Due times, leases, back-off and expiry follow the instant; pace follows the real clock.

Example:
  broadsheet tick --now 2026-03-09T08:00:00Z`,
      ),
    async ({ call, isJson }, { now }) => {
      if (now && Number.isNaN(Date.parse(now))) {
        throw usageError(`\`${now}\` is no instant. Write it like 2026-03-09T08:00:00Z.`)
      }
      const report = await call<{ runs: RunView[] }>('POST', '/api/v1/tick', now ? { now } : {})
      if (isJson) sayJson(report)
      else if (report.runs.length === 0) say('Nothing was due.')
      else say(runTable(report.runs))
    },
  )
}
