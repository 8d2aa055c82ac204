import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type Session, works } from '../action.ts'
import { duration, type EstimateView } from '../estimate.ts'
import { CliError, exitCodes, usageError } from '../exit.ts'
import { instantOf } from '../instant.ts'
import { counted, note, plain, say, sayJson, styled } from '../output.ts'

interface PreviewOptions {
  categories?: string
  cadence?: string
  at?: string
  locale?: string
  out?: string
  to?: string
  post?: string
}

interface Preview {
  subject: string
  html: string
  text: string
  eml: string
  posts: number
  isSample: boolean
  audience: { readers: number; isAtLeast: boolean; estimate: EstimateView }
  test?: TestMail
}

interface TestMail {
  id: string
  state: 'waiting' | 'sending' | 'sent' | 'unclear' | 'not-sent'
  reason?: string
}

/** Where jobs run elsewhere a test mail leaves a little later: so often it is looked for, a second apart. */
const mostLooks = 20

export function define(command: Command): void {
  command.addHelpText('after', '\nExample:\n  broadsheet digest preview --out preview')
  works<PreviewOptions>(
    command
      .command('preview')
      .description('Show what would be mailed. Changes nothing.')
      .option(
        '--categories <slugs>',
        'what the reader chose, separated by commas (default: everything)',
      )
      .option('--cadence <cadence>', 'instant, daily, weekly or monthly')
      .option('--at <instant>', 'the digest due then (RFC 3339, or such as +7d), default: now')
      .option('--locale <locale>', 'the language of the mail')
      .option('--out <dir>', 'write digest.eml, .html and .txt there (letter.… with --post)')
      .option('--to <email>', 'mail it to this address, marked as a test')
      .option('--post <id>', 'show this post as a letter instead, drafts too')
      .addHelpText(
        'after',
        `
With nothing new at that instant the newest posts stand in, and it says so.

Example:
  broadsheet digest preview --categories printing,reading --cadence daily
  broadsheet digest preview --at 2026-03-09T08:00:00Z --out preview
  broadsheet digest preview --to you@example.com
  broadsheet digest preview --post 5f0c2a9be1d47a36 --to you@example.com`,
      ),
    async ({ call, isJson }, { categories, at, out, ...wanted }) => {
      const slugs = categories
        ?.split(',')
        .map((slug) => slug.trim())
        .filter(Boolean)
      const preview = await call<Preview>('POST', '/api/v1/digests/preview', {
        ...(slugs ? { categories: slugs } : {}),
        ...(at !== undefined ? { at: instantOf(at) } : {}),
        ...(wanted.cadence ? { cadence: wanted.cadence } : {}),
        ...(wanted.locale ? { locale: wanted.locale } : {}),
        ...(wanted.to ? { to: wanted.to } : {}),
        ...(wanted.post ? { post: wanted.post } : {}),
      })
      const files = out ? write(out, wanted.post ? 'letter' : 'digest', preview) : []
      const test = preview.test && (await awaitTest(call, preview.test))
      const { subject, posts, isSample, audience, text } = preview
      if (isJson) {
        const more = out ? { files } : preview
        return sayJson({ subject, posts, isSample, audience, ...more, ...(test ? { test } : {}) })
      }
      note(`${styled('bold', plain(subject))} · ${counted(posts, 'post')}`)
      if (isSample) note('Nothing is new at that instant: the newest posts stand in.')
      const { readers, isAtLeast, estimate } = audience
      note(`It would go to ${isAtLeast ? 'more than ' : ''}${counted(readers, 'reader')} at most.`)
      if (estimate.seconds) note(`That takes about ${duration(estimate.seconds)}.`)
      if (test) note(toldOf(test))
      if (files.length > 0) for (const file of files) say(file)
      else say(text.replace(/[^\P{Cc}\n\t]/gu, ''))
    },
  )
}

/** @throws CliError `mail.not-sent` when it was refused. */
async function awaitTest(call: Session['call'], asked: TestMail): Promise<TestMail> {
  let test = asked
  for (let looks = 0; isUnderWay(test) && looks < mostLooks; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    test = await call<TestMail>('GET', `/api/v1/digests/tests/${test.id}`)
  }
  if (test.state !== 'not-sent') return test
  const reason = plain(test.reason).replace(/\.$/, '') || 'no reason was given'
  throw new CliError(
    exitCodes.failed,
    `The test was not mailed: ${reason}. Look at the mail settings with \`broadsheet doctor\`, then try again. (mail.not-sent)`,
  )
}

const isUnderWay = ({ state }: TestMail) => state === 'waiting' || state === 'sending'

function toldOf({ id, state, reason }: TestMail): string {
  if (state === 'sent') return 'Mailed as a test.'
  if (state === 'unclear') {
    return `The mail server did not say whether it took the test (${plain(reason)}): look into the mailbox.`
  }
  return `The test is on its way, as ${id}. If it does not come within minutes, \`broadsheet doctor\` says what holds mail up.`
}

function write(folder: string, name: string, { html, text, eml }: Preview): string[] {
  const parts = {
    [`${name}.eml`]: Buffer.from(eml, 'base64'),
    [`${name}.html`]: Buffer.from(html),
    [`${name}.txt`]: Buffer.from(text),
  }
  try {
    mkdirSync(folder, { recursive: true })
    return Object.entries(parts).map(([name, bytes]) => {
      const file = join(folder, name)
      writeFileSync(file, bytes)
      return file
    })
  } catch (cause) {
    throw usageError(`${folder} cannot be written (${(cause as NodeJS.ErrnoException).code}).`)
  }
}
