import type { Command } from 'commander'
import { pages, type Session, works } from '../action.ts'
import { countOf } from '../count.ts'
import { type DueView, sayDue } from '../due-report.ts'
import { estimateText } from '../estimate.ts'
import { exitCodes, usageError } from '../exit.ts'
import { counted, note, progress, say, sayJson, table } from '../output.ts'
import { type RunView, runTable } from '../run-table.ts'

interface DeliveryView {
  id: string
  subscriberId: string
  state: string
  attempts: number
  reason?: string
  at: string
}

const pathOf = (id: string) => `/api/v1/runs/${encodeURIComponent(id)}`

export function define(command: Command): void {
  works<{ limit?: string }>(
    command.option('--limit <n>', 'at most so many, newest first', '20').addHelpText(
      'after',
      `
Without a subcommand the runs are listed, newest first, each with its books: every reader of a run
is sent to, failed, unknown, owed nothing, gone or still pending, and the sum is the readers.

Example:
  broadsheet runs
  broadsheet runs show weekly_2026-03-09T0800Z
  broadsheet runs pause`,
    ),
    async (session, { limit = '20' }) => {
      const most = countOf(limit, '--limit')
      const runs: RunView[] = []
      for await (const run of pages<RunView>(session, '/api/v1/runs')) {
        if (runs.push(run) === most) break
      }
      if (session.isJson) return runs.forEach(sayJson)
      if (runs.length === 0) return note('No run yet. The next due one comes by itself.')
      say(runTable(runs))
    },
  )

  works(
    command
      .command('show')
      .argument('<id>', 'as `runs` lists it')
      .description(
        'One run with its books, how long it will take, and the deliveries that need a look.',
      )
      .addHelpText('after', '\nExample:\n  broadsheet runs show weekly_2026-03-09T0800Z'),
    async (session, _options, id = '') => {
      const run = await session.call<RunView>('GET', pathOf(id))
      if (session.isJson) return sayJson(run)
      say(runTable([run]))
      if (run.estimate) say(`\n${estimateText(run.estimate)}`)
      if (run.approveBy) {
        say(`\nRead it:  broadsheet digest preview --post ${run.postId}`)
        say(`Send it:  broadsheet runs approve ${id}`)
        say(`Hold it:  broadsheet runs pause ${id}`)
      }
      for (const state of ['pending', 'failed', 'unknown'] as const) {
        if (run.counts[state] === 0) continue
        const rows = await thoseToLookAt(session, id, state)
        // Those whose turn has not come need no look.
        if (state === 'pending' && rows.length === 0) continue
        say(`\n${counted(run.counts[state], `${state} delivery`, `${state} deliveries`)}`)
        if (state === 'pending') say('Tried so far, and tried again by itself:')
        say(
          table(
            ['DELIVERY', 'READER', 'TRIES', 'AT', 'WHY'],
            rows.map((row) => [row.id, row.subscriberId, `${row.attempts}`, row.at, row.reason]),
          ),
        )
        if (state === 'failed') {
          const isOver = run.state === 'done' || run.state === 'skipped'
          say(
            `Send them again${isOver ? '' : ' when the run is done'}: broadsheet runs retry ${id}`,
          )
        }
      }
    },
  )

  works(
    command
      .command('retry')
      .argument('<id>', 'as `runs` lists it')
      .description('Send again to those whose delivery failed, once the run is done.')
      .addHelpText('after', '\nExample:\n  broadsheet runs retry weekly_2026-03-09T0800Z'),
    async ({ call, isJson }, _options, id = '') => {
      const run = await call<RunView>('POST', `${pathOf(id)}/retry`)
      if (isJson) return sayJson(run)
      say(runTable([run]))
      return run.counts.failed > 0 ? exitCodes.partial : undefined
    },
  )

  works(
    command
      .command('approve')
      .argument('<id>', 'as `runs` lists it')
      .description('Let a letter that waits for approval go, at its time.')
      .addHelpText(
        'after',
        `
What is approved is the post as it stands now, and that is what is mailed: an edit before the letter
is on its way asks for approval again, a later one does not reach it. A letter that nobody approves in
time is not mailed (\`mail.unapproved\` in broadsheet.yaml).

Example:
  broadsheet runs approve letter_5f0c2a9be1d47a36`,
      ),
    async ({ call, isJson }, _options, id = '') => {
      const run = await call<RunView>('POST', `${pathOf(id)}/approve`)
      if (isJson) return sayJson(run)
      say(runTable([run]))
    },
  )

  works(
    command
      .command('due')
      .description('What would be mailed if sending went on now. Changes nothing.')
      .addHelpText(
        'after',
        `
Lists runs that are open and those that the next tick would make, of posts too whose date has come
and letters whose time is up: how many readers each has still to visit, and to how many of those
something is owed.

Example:
  broadsheet runs due`,
      ),
    async ({ call, isJson }) => {
      const due = await call<DueView>('GET', '/api/v1/sending/due')
      if (isJson) return sayJson(due)
      sayDue(due)
    },
  )

  works(
    command
      .command('pause')
      .argument('[id]', 'one run; without it all sending')
      .description('Pause one run, or all sending. What is owed stays owed.')
      .addHelpText(
        'after',
        `
While all sending is paused no new run is made, but of letters: \`runs due\` lists what would be. When
it goes on, each reader gets what has come out meanwhile in one mail.

Example:
  broadsheet runs pause`,
      ),
    (session, _options, id) => {
      refuseEmpty(id)
      return switchSending(session, 'pause', id)
    },
  )

  works<{ fromNow?: boolean }>(
    command
      .command('resume')
      .argument('[id]', 'one run; without it all sending')
      .option(
        '--from-now',
        'count everything that has come out so far as delivered to everyone, then go on',
      )
      .description('Let one run, or all sending, go on.')
      .addHelpText(
        'after',
        `
After a restore \`--from-now\` is for a service that went on mailing after the backup was made: nobody
gets anything twice, and nobody gets what was listed and not mailed by then. It cannot be undone.
Letters that were on their way or waited for approval stay paused, each to be resumed or left.

Example:
  broadsheet runs resume
  broadsheet runs resume --from-now`,
      ),
    async (session, { fromNow }, id) => {
      refuseEmpty(id)
      if (fromNow && id) throw usageError('`--from-now` is for all sending: leave out the run.')
      if (fromNow) await skipOwed(session)
      await switchSending(session, 'resume', id)
    },
  )
}

/** At most 50; of what is pending those that were tried, among the first thousand. */
async function thoseToLookAt(session: Session, id: string, state: string): Promise<DeliveryView[]> {
  const rows: DeliveryView[] = []
  let seen = 0
  for await (const row of pages<DeliveryView>(session, `${pathOf(id)}/deliveries?state=${state}`)) {
    if (state !== 'pending' || row.attempts > 0) rows.push(row)
    if (rows.length === 50 || ++seen === 1000) break
  }
  return rows
}

/** As from a script whose variable is not set: that one run was meant, and not all sending. */
function refuseEmpty(id: string | undefined): void {
  if (id === '') throw usageError('The id of the run is empty. Leave it out to mean all sending.')
}

async function switchSending(
  { call, isJson }: Session,
  verb: 'pause' | 'resume',
  id: string | undefined,
): Promise<void> {
  const path = id ? `${pathOf(id)}/${verb}` : `/api/v1/sending/${verb}`
  const answer = await call<{ state?: string; paused?: boolean }>('POST', path)
  if (isJson) return sayJson(answer)
  if (id) say(`Run ${id}: ${answer.state}`)
  else say(answer.paused ? 'All sending is paused.' : 'Sending goes on with the next tick.')
}

/** Broken off, nothing is mailed: sending stays paused, and the same command does it again. */
async function skipOwed({ call }: Session): Promise<void> {
  const line = progress()
  let readers = 0
  let came: { to?: number; after?: string; readers?: number } = {}
  try {
    do {
      const { to, after } = came
      came = await call('POST', '/api/v1/sending/skip', { to, after })
      readers += came.readers ?? 0
      line.show(counted(readers, 'reader'))
    } while (came.after)
  } finally {
    line.done()
  }
  note(`Everything that has come out so far counts as delivered to ${counted(readers, 'reader')}.`)
}
