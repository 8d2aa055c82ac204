import type { Command } from 'commander'
import { works } from '../action.ts'
import { instantOf } from '../instant.ts'
import { say, sayJson } from '../output.ts'
import { type RunView, runTable } from '../run-table.ts'

export function define(command: Command): void {
  works<{ now?: string }>(
    command
      .option(
        '--now <instant>',
        'as if it were this instant (RFC 3339, or such as +7d), default: now',
      )
      .addHelpText(
        'after',
        `
Due digests are sent, posts dated in the future appear when their time has come, whatever stood
still goes on. Due times, leases, back-off and expiry follow the instant; pace follows the real clock.

Example:
  broadsheet tick --now 2026-03-09T08:00:00Z
  broadsheet tick --now +7d`,
      ),
    async ({ call, isJson }, { now }) => {
      const wanted = now !== undefined ? { now: instantOf(now) } : {}
      const report = await call<{ runs: RunView[] }>('POST', '/api/v1/tick', wanted)
      if (isJson) sayJson(report)
      else if (report.runs.length === 0) say('Nothing was due.')
      else say(runTable(report.runs))
    },
  )
}
