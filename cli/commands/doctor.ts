import type { Command } from 'commander'
import { isLoopback } from '../../functions/is-loopback.ts'
import { configuration } from '../configuration.ts'
import { liveServer, stackOf } from '../connection.ts'
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
    .option('--aws', 'look at the AWS account and, if it is there, the stack (read-only)')
    .addHelpText(
      'after',
      `
Looks at the configuration, the data folder, the base URL, the mail server and the sender's domain
(SPF, DKIM, DMARC). With --aws or --stack it looks at AWS instead: credentials, region, CDK, what SES
allows, the sender and its DNS, the queues, the clock, the alarms; --aws also before anything is
deployed. Changes nothing. Ends with 1 if something keeps the service from working.

Example:
  broadsheet doctor
  broadsheet doctor --aws
  broadsheet doctor --stack Broadsheet`,
    )
    .action(async (_options, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions & { aws?: boolean }>()
      const stack = stackOf(options)
      const checks = options.aws || stack ? await onAws(options, stack) : await onMachine(options)
      if (options.json) sayJson({ checks })
      else for (const check of checks) sayCheck(check)
      if (checks.some(({ state }) => state === 'fault')) process.exitCode = exitCodes.failed
    })
}

async function onMachine(options: GlobalOptions): Promise<Check[]> {
  const settings = configuration(options, lastStart(options.data)?.listen)
  const [storage, smtp, domain, server] = await Promise.all([
    checkStorage(options.data),
    checkSmtp(settings),
    checkDomain(settings, boundedResolver()),
    liveServer(options.data),
  ])
  return [
    ok('configuration', `${options.config} can be used`),
    ...(server ? [ok('server', `runs at ${server.address} (process ${server.pid})`)] : []),
    ...storage,
    checkBaseUrl(settings),
    smtp,
    ...checkSettings(settings),
    ...domain,
  ]
}

async function onAws(options: GlobalOptions, stack: string | undefined): Promise<Check[]> {
  const settings = configuration(options, undefined, {})
  const { checkAws } = await import('../doctor/aws.ts')
  const { baseUrl } = settings.site
  const found = await checkAws({
    stack: stack ?? 'Broadsheet',
    isNamed: stack !== undefined,
    settings,
    ...(isLoopback(new URL(baseUrl).hostname) ? {} : { wantedAddress: baseUrl }),
    dns: boundedResolver(),
    now: () => new Date(),
  })
  return [ok('configuration', `${options.config} can be used`), ...found]
}

function sayCheck({ name, state, message, fix }: Check): void {
  say(`${marks[state]} ${name.padEnd(14)} ${message}`)
  if (fix) say(`  ${' '.repeat(14)} ${styled('dim', `→ ${fix}`)}`)
}
