import { counted, plain, say, table } from './output.ts'

/** What would be mailed if sending went on, as the API gives it. */
export interface DueView {
  last: number
  runs: {
    id?: string
    schedule: string
    kind: string
    dueAt: string
    state?: string
    reason?: string
    to: number
    readers: number
    isAtLeast: boolean
    owed?: number
  }[]
}

/** What would be mailed if sending went on, run by run. */
export function sayDue({ runs }: DueView): void {
  if (runs.length === 0) return say('Nothing is due: if sending went on, no digest would go out.')
  say('If sending went on, these would go out:')
  say(
    table(
      ['RUN', 'DUE', 'STATE', 'UP TO POST', 'READERS', 'OWED', ''],
      runs.map((run) => [
        run.id ?? run.schedule,
        run.dueAt.slice(0, 16).replace('T', ' '),
        run.state ?? 'not made yet',
        run.to,
        `${run.isAtLeast ? 'at least ' : ''}${run.readers.toLocaleString('en')}`,
        run.owed?.toLocaleString('en') ?? '',
        plain(run.reason),
      ]),
    ),
  )
}

/**
 * What a person has to know before sending goes on from a backup. `flags` name the service in the
 * commands.
 */
export function sayRestored(due: DueView, at: string, flags: string): void {
  say()
  sayDue(due)
  say(`
The backup is of ${at}. What was mailed after that it does not know: going on would
mail it again, to everyone who got it since. Sending is paused until you choose.

Look first:  broadsheet runs${flags}   broadsheet runs due${flags}   broadsheet digest preview${flags}
Go on:       broadsheet runs resume${flags}              if nothing was mailed since
             broadsheet runs resume --from-now${flags}   counts what has come out (${counted(due.last, 'post')}) as delivered`)
}
