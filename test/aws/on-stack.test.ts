import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listApiKeys } from '../../functions/api/api-keys.ts'
import { objectKeys } from '../../functions/keys.ts'
import { broadsheet } from '../cli/broadsheet-process.ts'
import { accountServer } from '../support/aws/account-server.ts'
import {
  type AwsServers,
  type ScratchAwsPlatform,
  scratchAwsPlatform,
} from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { outputsOf } from '../support/aws/stack-outputs.ts'

let servers: AwsServers
let cloud: Awaited<ReturnType<typeof accountServer>>
let platform: ScratchAwsPlatform
let outputs: Record<string, string>
let env: Record<string, string>
let cwd: string

beforeAll(async () => {
  servers = await startAwsServers()
  cloud = await accountServer()
  platform = await scratchAwsPlatform(servers)
  outputs = outputsOf(platform, { address: 'http://127.0.0.1:1' })
  cwd = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  env = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(cwd, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(cwd, 'none'),
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloud.url,
    AWS_ENDPOINT_URL_S3: servers.urls.s3,
    AWS_ENDPOINT_URL_DYNAMODB: servers.urls.dynamodb,
    AWS_ENDPOINT_URL_SQS: servers.urls.sqs,
    AWS_ENDPOINT_URL_SES: servers.urls.ses,
    AWS_MAX_ATTEMPTS: '1',
  }
})
beforeEach(() => {
  cloud.reset()
  cloud.account.stacks.Test = { outputs }
})
afterAll(async () => {
  await cloud.close()
  await servers.close()
  rmSync(cwd, { recursive: true, force: true })
})

const run = (line: string, more: Record<string, string | undefined> = {}) => {
  const merged = Object.entries({ ...env, ...more }).filter((entry): entry is [string, string] =>
    Boolean(entry[1]),
  )
  return broadsheet(line.split(' '), { cwd, env: Object.fromEntries(merged) })
}

describe('a stack, worked on from the command line', () => {
  it('gets its first key by what its outputs say comes next, and the key publishes', async () => {
    const made = await run('keys create me --stack Test')
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('not shown again')])
    const key = made.stdout.trim()
    const published = await platform.doorways.web('/api/v1/posts', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'text/markdown' },
      body: '# Hello\n\nFrom afar.',
    })
    expect(published.status).toBe(201)
    await platform.settle()
    // No key stays behind that its owner did not ask for.
    expect((await listApiKeys(platform)).map(({ name }) => name)).toEqual(['me'])

    const listed = await run('posts --json --stack Test')
    expect(JSON.parse(listed.stdout)).toMatchObject({
      title: 'Hello',
      url: 'http://127.0.0.1:1/posts/hello/',
    })
    const revoked = await run('keys revoke me --stack=Test')
    expect(revoked.code).toBe(0)
    expect(await listApiKeys(platform)).toEqual([])
  })

  it('is also named by BROADSHEET_STACK; its jobs are left to its own functions', async () => {
    writeFileSync(join(cwd, 'by-hand.md'), '---\ntitle: By hand\ncategories: [news]\n---\nx')
    const { code, stdout, stderr } = await run('publish by-hand.md', { BROADSHEET_STACK: 'Test' })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('http://127.0.0.1:1/posts/by-hand/')
    const feed = objectKeys.feed('news', 'rss.xml')
    expect(await platform.objects.get(feed)).toBeUndefined()
    await platform.settle()
    expect(await platform.objects.get(feed)).toBeDefined()
  })

  it('mails a test by its own functions, and waits to hear how that went', async () => {
    let isOver = false
    const preview = run('digest preview --to me@example.org --json --stack Test').finally(() => {
      isOver = true
    })
    while (!isOver) {
      await platform.settle()
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const { code, stdout } = await preview
    const { test } = JSON.parse(stdout)
    expect([code, test.state]).toEqual([0, 'sent'])
    expect(await platform.outbox()).toMatchObject([{ deliveryId: test.id, to: 'me@example.org' }])
  })

  it('renews the keys of its links', async () => {
    const before = platform.secrets.links.length
    const { code, stdout } = await run('keys rotate-links --json --stack Test')
    expect([code, JSON.parse(stdout)]).toEqual([0, { keys: before + 1 }])
  })

  it('is looked at by `doctor`, which ends with 1 as its site does not answer', async () => {
    const { code, stdout, stderr } = await run('doctor --json --stack Test', {
      AWS_ENDPOINT_URL_CLOUDWATCH: cloud.url,
      AWS_ENDPOINT_URL_SESV2: cloud.url,
    })
    expect([code, stderr]).toEqual([1, ''])
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] }
    const states = new Map(checks.map(({ name, state }) => [name, state]))
    expect(
      ['configuration', 'credentials', 'stack', 'site', 'sender', 'alarms'].map((name) =>
        states.get(name),
      ),
    ).toEqual(['ok', 'ok', 'ok', 'fault', 'warning', 'ok'])
  })

  it('refuses what only one machine can do', async () => {
    for (const line of ['tick', 'start']) {
      const { code, stderr } = await run(`${line} --stack Test`)
      expect([line, code]).toEqual([line, 2])
      expect(stderr).not.toBe('')
    }
  })
})

describe('a data folder and a stack, from the command line', () => {
  it('moves in, says what is due, and moves out again; no secret is ever printed', async () => {
    const fresh = await scratchAwsPlatform(servers)
    cloud.account.stacks.New = { outputs: outputsOf(fresh, { address: 'http://127.0.0.1:1' }) }
    const said: string[] = []
    const says = async (line: string, more?: Record<string, string>) => {
      const ended = await run(line, more)
      said.push(ended.stdout, ended.stderr)
      return ended
    }
    const confirmed = 'email,cadence,at,timeZone,confirmedAt,consent\n'
    writeFileSync(
      join(cwd, 'readers.csv'),
      `${confirmed}ada@example.org,daily,00:00,UTC,2020-01-01,paper\n`,
    )
    await run('subscribers import readers.csv')
    writeFileSync(join(cwd, 'news.md'), '---\ntitle: News\ncategories: [news]\n---\nx')
    await run('publish news.md')
    expect((await says('backup copy')).code).toBe(0)

    const moved = await says('restore copy --stack New')
    expect([moved.code, moved.stderr]).toEqual([0, ''])
    expect(moved.stdout).toContain('Restored to the stack New')
    expect(moved.stdout).toMatch(/The backup is of \d{4}-\d\d-\d\dT/)
    expect(moved.stdout).toContain('broadsheet runs resume --from-now --stack New')
    expect(await says('restore copy --stack New')).toMatchObject({ code: 7, stdout: '' })
    expect(await says('restore none --stack New')).toMatchObject({ code: 5, stdout: '' })

    const back = await says('backup back --json --stack New')
    expect([back.code, JSON.parse(back.stdout)]).toMatchObject([0, { stack: 'New', sending: [] }])
    const home = await says('restore back --json --data home')
    expect([home.code, JSON.parse(home.stdout)]).toMatchObject([
      0,
      { sending: 'paused', backupAt: JSON.parse(back.stdout).at, due: { last: 1 } },
    ])
    const resumed = await says('runs resume --from-now --data home')
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining('to 1 reader') })

    const { subscribers, links } = JSON.parse(readFileSync(join(cwd, 'back/secrets.json'), 'utf8'))
    const { localKey } = JSON.parse(readFileSync(join(cwd, 'copy/secrets.json'), 'utf8'))
    const secrets = [subscribers, localKey, ...links.map(({ key }: { key: string }) => key)]
    expect(secrets.length).toBeGreaterThanOrEqual(4)
    for (const secret of secrets) expect(said.join('')).not.toContain(secret)
  })
})

describe('a stack that cannot be worked on', () => {
  const denied = { status: 403, code: 'AccessDenied', message: 'User: x is not authorized' }

  it.each([
    [
      'both ways at once',
      'runs --stack Test --url https://a.example --key k',
      2,
      /without `--url`/,
    ],
    ['another name', 'runs --stack Tset', 5, /no stack Tset in eu-central-1/],
  ])('%s', async (_, line, code, message) => {
    const ended = await run(line)
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toMatch(message)
  })

  it.each([
    [
      'no credentials',
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      4,
      /aws configure sso/,
    ],
    ['no region', { AWS_REGION: undefined }, 2, /export AWS_REGION/],
    [
      'no network',
      { AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:1' },
      8,
      /cannot be reached/,
    ],
    ['no table', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' }, 8, /cannot be reached/],
  ])('%s', async (_, variables, code, message) => {
    const ended = await run('runs --stack Test', variables)
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)])
  })

  it('access denied, to the stack or to a queue of it', async () => {
    cloud.account.faults['*'] = denied
    const whole = await run('runs --stack Test')
    expect([whole.code, whole.stderr]).toEqual([4, expect.stringContaining('not authorized')])

    cloud.account.faults = { SendMessageBatch: denied }
    const queue = `${cloud.url}/123456789012/queue`
    cloud.account.stacks.Test = {
      outputs: { ...outputs, UrgentQueueUrl: queue, WorkQueueUrl: queue },
    }
    writeFileSync(join(cwd, 'denied.md'), '---\ntitle: Denied\n---\nx')
    const part = await run('publish denied.md --stack Test', { AWS_ENDPOINT_URL_SQS: cloud.url })
    expect([part.code, part.stderr]).toEqual([4, expect.stringContaining('may not do this')])
  })

  it('expired credentials', async () => {
    cloud.account.faults['*'] = {
      status: 403,
      code: 'ExpiredToken',
      message: 'The security token included in the request is expired',
    }
    const { code, stderr } = await run('runs --stack Test')
    expect([code, stderr]).toEqual([4, expect.stringContaining('aws sso login')])
  })
})
