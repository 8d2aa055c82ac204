import type { Command } from 'commander'
import { configuration } from '../configuration.ts'
import { liveServer } from '../connection.ts'
import { type Check, ok } from '../doctor/check.ts'
import { boundedResolver, checkDomain, checkSmtp } from '../doctor/mail.ts'
import { checkBaseUrl, checkSettings } from '../doctor/site.ts'
import { checkStorage } from '../doctor/storage.ts'
import { exitCodes } from '../exit.ts'
import { lastStart } from '../last-start.ts'
import type { GlobalOptions } from '../options.ts'
import { say, sayJson, styled } from '../output.ts'

const marks = {
  ok: styled('green', '✓'),
  warning: styled('yellow', '!'),
  fault: styled('red', '✗'),
}

export function define(command: Command): void {
  command
    .addHelpText(
      'after',
      `
Looks at the configuration, the data folder, the base URL, the mail server and the sender's domain
(SPF, DKIM, DMARC). Changes nothing. Ends with 1 if something keeps the service from working.

Example:
  broadsheet doctor`,
    )
    .action(async (_options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions>()
      const settings = configuration(options, lastStart(options.data)?.listen)
      const [storage, smtp, domain, server] = await Promise.all([
        checkStorage(options.data),
        checkSmtp(settings),
        checkDomain(settings, boundedResolver()),
        liveServer(options.data),
      ])
      const checks: Check[] = [
        ok('configuration', `${options.config} can be used`),
        ...(server ? [ok('server', `runs at ${server.url} (process ${server.pid})`)] : []),
        ...storage,
        checkBaseUrl(settings),
        smtp,
        ...checkSettings(settings),
        ...domain,
      ]
      if (options.json) sayJson({ checks })
      else for (const check of checks) sayCheck(check)
      if (checks.some(({ state }) => state === 'fault')) process.exitCode = exitCodes.failed
    })
}

function sayCheck({ name, state, message, fix }: Check): void {
  say(`${marks[state]} ${name.padEnd(14)} ${message}`)
  if (fix) say(`  ${' '.repeat(14)} ${styled('dim', `→ ${fix}`)}`)
}
