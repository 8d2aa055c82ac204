import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDomain, checkSmtp, type TextRecords } from '../../cli/doctor/mail.ts'
import { checkBaseUrl, checkSettings } from '../../cli/doctor/site.ts'
import { checkStorage } from '../../cli/doctor/storage.ts'
import { readSettings } from '../../functions/settings/settings-file.ts'
import { smtpSink } from '../support/smtp-sink.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const from = readSettings({ yaml: 'mail: {from: "The Gazette <news@Gazette.example>"}' })

/** Name servers that know these texts; a name that is not there does not exist. */
function names(texts: Record<string, string[]>): TextRecords {
  return {
    resolveTxt: async (name) => {
      const found = texts[name]
      // Long texts come in pieces.
      if (found) return found.map((text) => [text.slice(0, 9), text.slice(9)])
      throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    },
  }
}

const good = {
  'gazette.example': ['some-verification=1', 'v=spf1 include:mail.example ~all'],
  'selector1._domainkey.gazette.example': ['v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3'],
  '_dmarc.gazette.example': ['v=DMARC1; p=quarantine'],
}

describe('the sender’s domain', () => {
  const states = async (texts: Record<string, string[]>) =>
    Object.fromEntries(
      (await checkDomain(from, names(texts))).map(({ name, state }) => [name, state]),
    )

  it.each([
    ['all is there', good, { SPF: 'ok', DKIM: 'ok', DMARC: 'ok' }],
    ['nothing is there', {}, { SPF: 'fault', DKIM: 'warning', DMARC: 'fault' }],
    [
      'two SPF records stand side by side',
      { ...good, 'gazette.example': ['v=spf1 -all', 'v=spf1 ~all'] },
      { SPF: 'fault', DKIM: 'ok', DMARC: 'ok' },
    ],
    [
      'a key was revoked',
      { ...good, 'selector1._domainkey.gazette.example': ['v=DKIM1; p='] },
      { SPF: 'ok', DKIM: 'warning', DMARC: 'ok' },
    ],
    [
      'a text only resembles a policy',
      { ...good, '_dmarc.gazette.example': ['v=DMARC2; p=none'] },
      { SPF: 'ok', DKIM: 'ok', DMARC: 'fault' },
    ],
  ])('%s', async (_name, texts, expected) => {
    expect(await states(texts)).toEqual(expected)
  })

  it('may go by the policy of a domain above it, but not by that of a whole ending', async () => {
    const below = readSettings({ yaml: 'mail: {from: news@letters.gazette.example}' })
    const policyOf = async (texts: Record<string, string[]>) =>
      (await checkDomain(below, names(texts))).find(({ name }) => name === 'DMARC')
    expect(await policyOf(good)).toMatchObject({
      state: 'ok',
      message: 'gazette.example has a policy for letters.gazette.example',
    })
    expect(await policyOf({ '_dmarc.example': ['v=DMARC1; p=none'] })).toMatchObject({
      state: 'fault',
      fix: expect.stringContaining('_dmarc.letters.gazette.example'),
    })
  })

  it('is asked about a bounded number of times, however deep it lies', async () => {
    const deep = readSettings({ yaml: `mail: {from: "news@${'a.'.repeat(60)}example"}` })
    const asked: string[] = []
    const { resolveTxt } = names({})
    const dns = {
      resolveTxt: (name: string) => {
        asked.push(name)
        return resolveTxt(name)
      },
    }
    await checkDomain(deep, dns)
    expect(asked.filter((name) => name.startsWith('_dmarc.'))).toHaveLength(8)
  })

  it('is told apart from name servers that do not answer', async () => {
    const dns: TextRecords = {
      resolveTxt: async () => {
        throw Object.assign(new Error('timeout'), { code: 'ETIMEOUT' })
      },
    }
    expect(await checkDomain(from, dns)).toMatchObject([{ name: 'DNS', state: 'warning' }])
  })

  it('is nothing to look up while nobody is named', async () => {
    expect(await checkDomain(readSettings(), names({}))).toEqual([])
  })

  it('is told what to do about each fault', async () => {
    for (const { state, fix } of await checkDomain(from, names({}))) {
      expect(state === 'ok' || Boolean(fix)).toBe(true)
    }
  })
})

describe('the mail server', () => {
  it('answers', async () => {
    const sink = await smtpSink()
    expect(await checkSmtp({ smtpUrl: sink.url })).toMatchObject({ state: 'ok' })
    await sink.close()
  })

  it('does not answer, or is not set', async () => {
    expect(await checkSmtp({ smtpUrl: 'smtp://127.0.0.1:1' })).toMatchObject({ state: 'fault' })
    expect(await checkSmtp({})).toMatchObject({ state: 'warning' })
  })

  it('is told no password without TLS, and it is said that it offers none', async () => {
    const asked: string[] = []
    const sink = await smtpSink({
      options: {
        authOptional: false,
        allowInsecureAuth: true,
        onAuth: ({ username, password }, _session, done) => {
          asked.push(`${username} ${password}`)
          done(null, { user: 'me' })
        },
      },
    })
    // It leads to this machine and is no loopback address.
    const smtpUrl = sink.url.replace('//127.0.0.1', '//me:hunter2@0.0.0.0')
    expect(await checkSmtp({ smtpUrl })).toMatchObject({
      state: 'fault',
      message: expect.stringContaining('offers no TLS'),
      fix: expect.stringContaining('smtps://'),
    })
    expect(asked).toEqual([])
    await sink.close()
  })

  it('refuses the password, which is not repeated', async () => {
    const sink = await smtpSink({
      options: {
        authOptional: false,
        allowInsecureAuth: true,
        onAuth: (_auth, _session, done) => done(new Error('Invalid login')),
      },
    })
    const check = await checkSmtp({ smtpUrl: sink.url.replace('//', '//me:hunter2@') })
    expect(check).toMatchObject({ state: 'fault', message: expect.stringContaining('password') })
    expect(JSON.stringify(check)).not.toContain('hunter2')
    await sink.close()
  })
})

describe('the base URL', () => {
  const state = (baseUrl: string, smtpUrl?: string) =>
    checkBaseUrl({
      site: { ...readSettings().site, baseUrl },
      ...(smtpUrl ? { smtpUrl } : {}),
    }).state

  it.each([
    ['https://news.example', 'smtps://mail.example', 'ok'],
    ['http://news.example', undefined, 'warning'],
    ['http://127.0.0.1:8787', undefined, 'warning'],
    ['http://localhost:8787', 'smtps://mail.example', 'fault'],
    ['http://[::1]:8787', 'smtps://mail.example', 'fault'],
  ])('%s with the mail server %s is %s', (baseUrl, smtpUrl, expected) => {
    expect(state(baseUrl, smtpUrl)).toBe(expected)
  })
})

describe('the settings', () => {
  it('lack a sender or an address, or name what does not work yet', () => {
    const settings = readSettings({
      yaml: 'sources: [{url: "https://a.example/feed"}]',
      env: { BROADSHEET_SMTP_URL: 'smtps://mail.example' },
    })
    expect(checkSettings(settings).map(({ name, state }) => [name, state])).toEqual([
      ['sender', 'fault'],
      ['postal address', 'warning'],
      ['sources', 'warning'],
    ])
    expect(checkSettings(readSettings())).toEqual([])
  })
})

describe('the data folder', () => {
  const states = async (data: string) =>
    (await checkStorage(data)).map(({ name, state }) => [name, state])

  it('can be written, also where it is not made yet', async () => {
    expect(await states(join(temporaryFolder(), 'not/yet'))).toEqual([
      ['storage', 'ok'],
      ['disk', 'ok'],
    ])
  })

  it('is a file, or lets others read the secrets', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(await states(join(folder, 'file'))).toEqual([['storage', 'fault']])
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data/secrets.json'), '{}')
    chmodSync(join(folder, 'data/secrets.json'), 0o644)
    expect((await states(join(folder, 'data'))).at(-1)).toEqual(['secrets', 'fault'])
    chmodSync(join(folder, 'data/secrets.json'), 0o600)
    expect((await states(join(folder, 'data'))).at(-1)).toEqual(['secrets', 'ok'])
  })
})
