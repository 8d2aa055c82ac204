import { createReadStream, existsSync, statSync } from 'node:fs'
import { ReadableStream } from 'node:stream/web'
import type { Command } from 'commander'
import { pages, type Session, works } from '../action.ts'
import { refusal } from '../connection.ts'
import { exitCodes, usageError } from '../exit.ts'
import { partLimits } from '../import-parts.ts'
import { documentsOf } from '../ndjson.ts'
import { counted, note, plain, progress, say, sayJson, table } from '../output.ts'

interface Reader {
  id: string
  email?: string
  state: string
  /** Why suppressed. */
  reason?: string
  categories: string[]
  cadence: string
  day?: string
  at: string
  timeZone: string
  locale: string
}

interface RowOutcome {
  line: number
  outcome: string
  id?: string
  code?: string
  reason?: string
}

interface Delivery {
  runId: string
  state: string
  reason?: string
  at: string
}

const order = ['added', 'updated', 'unchanged', 'pending', 'left', 'suppressed', 'refused']

export function define(command: Command): void {
  command.addHelpText(
    'after',
    `
Example:
  broadsheet subscribers import readers.csv
  broadsheet subscribers show ada@example.com`,
  )

  works(
    command
      .command('import')
      .argument('<file>', 'a list of readers (CSV); - reads standard input')
      .description('Take in a list of readers.')
      .addHelpText(
        'after',
        `
Columns: email,categories,cadence,day,at,timeZone,locale,confirmedAt,consent. A row with confirmedAt and
consent is a reader from now on; one without is asked by mail first. Who left stays away unless the
consent is later; suppressed addresses stay suppressed. Repeating it changes nothing.

Example:
  broadsheet subscribers import readers.csv`,
      ),
    async (session, _options, file = '') => importReaders(session, file),
    { makesFolder: true },
  )

  works(
    command
      .command('export')
      .description('Write all readers as CSV on standard output.')
      .addHelpText(
        'after',
        `
Who left or is suppressed is not in it. The file can be imported again and then changes nothing.

Example:
  broadsheet subscribers export > readers.csv`,
      ),
    async (session) => {
      if (session.isJson) {
        for await (const reader of pages<Reader>(session, '/api/v1/subscribers')) sayJson(reader)
        return
      }
      const response = await session.connection.fetch('/api/v1/subscribers/export')
      if (!response.ok) throw refusal(response.status, await response.text())
      for await (const chunk of response.body ?? []) process.stdout.write(chunk)
    },
  )

  works(
    command
      .command('show')
      .argument('<email>', 'the reader’s address')
      .description('Show a reader and what they got.')
      .addHelpText('after', '\nExample:\n  broadsheet subscribers show ada@example.com'),
    async (session, _options, email = '') => {
      const reader = await readerOf(session, email)
      const path = `/api/v1/subscribers/${reader.id}/deliveries?limit=20`
      const { items } = await session.call<{ items: Delivery[] }>('GET', path)
      if (session.isJson) return sayJson({ ...reader, deliveries: items })
      const { id, state, reason, categories, cadence, day, at, timeZone, locale } = reader
      say(`${id}  ${state}${reason ? `: ${reason}` : ''}`)
      // Of an erased reader a hash is kept and nothing that they chose.
      if (reason !== 'erased') {
        say(`  reads   ${categories.length > 0 ? plain(categories.join(', ')) : 'everything'}`)
        say(
          `  hears   ${[cadence, day, cadence === 'instant' ? '' : `at ${at} ${timeZone}`].filter(Boolean).join(', ')} (${locale})`,
        )
      }
      if (items.length === 0) return say('  got     nothing yet')
      say(
        table(
          ['AT', 'RUN', 'STATE', 'WHY'],
          items.map((item) => [item.at, item.runId, item.state, item.reason]),
        ),
      )
    },
  )

  works(
    command
      .command('erase')
      .argument('<email>', 'the reader’s address')
      .description('Erase a reader: nothing stays but a hash, so that no import brings them back.')
      .addHelpText('after', '\nExample:\n  broadsheet subscribers erase ada@example.com'),
    async (session, _options, email = '') => {
      const { id } = await readerOf(session, email)
      await session.call('DELETE', `/api/v1/subscribers/${id}`)
      if (session.isJson) sayJson({ id, erased: true })
      else say(`Erased: ${id}`)
    },
  )
}

function readerOf({ call }: Session, email: string): Promise<Reader> {
  return call<Reader>('POST', '/api/v1/subscribers/find', { email })
}

/** Of a list that a service on AWS surely takes in within a request: a few thousand readers. */
const mostListBytes = 200_000

async function importReaders({ connection, isJson }: Session, file: string) {
  if (file !== '-' && !existsSync(file)) throw usageError(`There is no ${file}.`)
  if (file !== '-' && statSync(file).size > mostListBytes && (await partLimits(connection))) {
    throw usageError(
      `A list of this size takes longer than a request to this service may. Work on the stack itself: \`broadsheet subscribers import ${file} --stack NAME\`, with your own AWS credentials.`,
    )
  }
  const input = file === '-' ? process.stdin : createReadStream(file)
  const response = await connection.fetch('/api/v1/subscribers/import', {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: ReadableStream.from(input) as unknown as BodyInit,
    duplex: 'half',
  })
  if (!response.ok) throw refusal(response.status, await response.text())
  const bar = progress()
  const counts = new Map<string, number>()
  let rows = 0
  for await (const row of documentsOf<RowOutcome>(response.body)) {
    rows++
    counts.set(row.outcome, (counts.get(row.outcome) ?? 0) + 1)
    if (isJson) sayJson(row)
    if (row.outcome === 'refused') {
      bar.done()
      note(`refused  ${plain(row.reason ?? `line ${row.line}`)}`)
    }
    bar.show(`${counted(rows, 'row')} …`)
  }
  bar.done()
  if (!isJson) {
    const parts = order.filter((name) => counts.has(name))
    const summary = parts.map((name) => `${counts.get(name)?.toLocaleString('en')} ${name}`)
    say(`${summary.join(' · ') || 'no rows'} (${counted(rows, 'row')})`)
  }
  return counts.has('refused') ? exitCodes.partial : undefined
}
