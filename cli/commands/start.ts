import { relative } from 'node:path'
import type { Command } from 'commander'
import { createApp } from '../../functions/app.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { localPlatform } from '../../functions/local/platform.ts'
import { startServer } from '../../functions/local/server.ts'
import { stopOnSignals } from '../../functions/local/stop-signals.ts'
import { configuration } from '../configuration.ts'
import { withKey } from '../connection.ts'
import { usageError } from '../exit.ts'
import { freePort } from '../free-port.ts'
import { keepLastStart, lastStart } from '../last-start.ts'
import type { GlobalOptions } from '../options.ts'
import { note, padded, say, sayJson, styled } from '../output.ts'

export function define(command: Command): void {
  command
    .option('--port <port>', 'where to listen; 0 takes a free one', '8787')
    .option('--host <host>', 'on which address', '127.0.0.1')
    .option('--demo', 'fill an empty data folder with demo posts and a demo reader')
    .addHelpText(
      'after',
      `
Everything runs in this process: pages, feeds, API, the clock of the digests and the mails. Ctrl-C or
SIGTERM ends it; it goes on where it was with the next start.

Example:
  broadsheet start --demo
  BROADSHEET_SMTP_URL=smtps://user:password@mail.example.com broadsheet start --port 80 --host 0.0.0.0`,
    )
    .action(async (_options, self: Command) =>
      start(self.optsWithGlobals<GlobalOptions & StartOptions>()),
    )
}

interface StartOptions {
  port: string
  host: string
  demo?: boolean
}

async function start(options: GlobalOptions & StartOptions): Promise<void> {
  const { data, host } = options
  if (options.stack) throw usageError('`start` runs the service here: leave out `--stack`.')
  if (!/^\d{1,5}$/.test(options.port) || Number(options.port) > 65_535) {
    throw usageError(`\`${options.port}\` is no port. Ports are numbers up to 65535.`)
  }
  const port = Number(options.port) || (await freePort(host))
  const settings = configuration(options, { host, port })
  const before = lastStart(data)

  const platform = await localPlatform({
    data,
    settings,
    log: jsonLog({ level: process.stderr.isTTY ? 'warn' : 'info' }),
    ...(process.env.BROADSHEET_SECRET ? { secret: process.env.BROADSHEET_SECRET } : {}),
  })
  const app = createApp(platform)
  const server = await startServer({ platform, app, host, port }).catch(async (error) => {
    await platform.close()
    throw error
  })
  process.removeAllListeners('SIGINT')
  stopOnSignals(
    () => server.stop(),
    (error) => platform.log.error('stop.failed', error),
  )
  const { baseUrl } = settings.site
  keepLastStart(data, { listen: { host, port }, baseUrl })

  if (options.json) {
    sayJson({
      version: platform.version,
      pid: process.pid,
      url: baseUrl,
      address: server.url,
      data,
    })
  } else {
    say(
      `${styled('bold', `Broadsheet ${platform.version}`)} · one process · data in ${shown(data)}`,
    )
    sayRow('Site', `${baseUrl}/`, baseUrl === server.url ? '' : `listening on ${server.url}`)
    sayRow('Feeds', `${baseUrl}/feeds/`, 'RSS · Atom · JSON, for each category')
    sayRow('Subscribe', `${baseUrl}/subscribe`)
    sayRow('API', `${baseUrl}/api/docs`)
    if (settings.smtpUrl)
      sayRow('Mail', new URL(settings.smtpUrl).hostname, 'mails leave by this server')
    else sayRow('Outbox', `${baseUrl}/outbox/`, 'mails stay here; nothing leaves this machine')
  }
  if (settings.sources.length > 0) {
    note('`sources` in broadsheet.yaml are not fetched by this version yet.')
  }

  const call = (path: string, init: RequestInit) =>
    Promise.resolve(app.request(path, withKey(init, platform.localKey)))
  if (platform.isAfterPowerCut || (before && before.baseUrl !== baseUrl)) {
    // Public files are not synced to the disk, and they name the base URL.
    await call('/api/v1/feeds/rebuild', { method: 'POST' })
  }
  if (options.demo) {
    const { fillWithDemo } = await import('../demo.ts')
    const demo = await fillWithDemo(call, platform.now())
    if (demo && !options.json) {
      sayRow(
        'Demo',
        `${demo.posts} posts in en, de, 中文 and 日本語`,
        `a digest for ${demo.reader} is on its way`,
      )
    }
  }
  if (options.json) return
  say(
    `Next: npx broadsheet publish hello.md   ${styled('dim', 'or')}   drop Markdown into ${shown(data)}/inbox`,
  )
}

function sayRow(name: string, value: string, remark = ''): void {
  say(`  ${name.padEnd(10)} ${remark ? `${padded(value, 38)} ${styled('dim', remark)}` : value}`)
}

function shown(folder: string): string {
  const path = relative(process.cwd(), folder) || '.'
  return path.startsWith('..') || path.startsWith('/') ? folder : `./${path}`
}
