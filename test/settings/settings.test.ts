import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { defaultSettings, hiddenPatterns } from '../../functions/settings/settings.ts'
import { readSettings } from '../../functions/settings/settings-file.ts'

function faultsOf(yaml: string, env: Record<string, string> = {}): string {
  try {
    readSettings({ yaml, env })
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError)
    expect((error as ServiceError).code).toBe('settings.invalid')
    return (error as ServiceError).message
  }
  throw new Error('the configuration was taken')
}

describe('readSettings', () => {
  it.each([undefined, '', '# nothing yet\n', 'site:\nfeeds:\ncategories:\n'])(
    'takes %j and means the defaults',
    (yaml) => {
      expect(readSettings({ yaml })).toEqual(defaultSettings)
    },
  )

  it('lets the site’s time zone stand for readers and posts until they have their own', () => {
    const { digests, content } = readSettings({
      yaml: 'site: {timeZone: Asia/Shanghai}\ncontent: {timeZone: Europe/Rome}',
    })
    expect([digests.timeZone, content.timeZone]).toEqual(['Asia/Shanghai', 'Europe/Rome'])
  })

  it.each([
    [{ host: '127.0.0.1', port: 9000 }, 'http://127.0.0.1:9000'],
    [{ host: '0.0.0.0', port: 80 }, 'http://127.0.0.1:80'],
    [{ host: '::1', port: 8787 }, 'http://[::1]:8787'],
  ])('takes the base URL from where it listens: %j', (listen, baseUrl) => {
    expect(readSettings({ listen }).site.baseUrl).toBe(baseUrl)
    const yaml = 'site: {baseUrl: "https://News.Example/"}'
    expect(readSettings({ listen, yaml }).site.baseUrl).toBe('https://news.example')
    const env = { BROADSHEET_BASE_URL: 'https://other.example' }
    expect(readSettings({ listen, yaml, env }).site.baseUrl).toBe('https://other.example')
  })

  it.each([
    ['mail: {patience: 48h}', 48],
    ['mail: {patience: 2d}', 48],
    ['mail: {patience: 12}', 12],
  ])('reads a duration: %s', (yaml, hours) => {
    expect(readSettings({ yaml }).mail.patience).toBe(hours)
  })

  it('offers a cadence as the default only if readers may choose it', () => {
    expect(readSettings({ yaml: 'digests: {cadences: [daily, monthly]}' }).digests.cadence).toBe(
      'daily',
    )
    expect(faultsOf('digests: {cadence: weekly, cadences: [daily]}')).toContain(
      '`digests.cadence` must be one of',
    )
  })

  it.each([
    ['cadences: [monthly]', 'monthly', '1'],
    ['cadences: [monthly], day: 15', 'monthly', '15'],
    ['cadences: [monthly], day: last-fri', 'monthly', 'last-fri'],
    ['cadences: [daily, monthly], day: 15', 'daily', '15'],
    ['cadences: [monthly, weekly]', 'weekly', 'mon'],
    ['cadence: monthly', 'monthly', '1'],
  ])('has a default day that its default cadence can have: %s', (yaml, cadence, day) => {
    expect(readSettings({ yaml: `digests: {${yaml}}` }).digests).toMatchObject({ cadence, day })
  })

  it('refuses a weekday where readers may only choose a monthly mail', () => {
    expect(faultsOf('digests: {cadences: [monthly], day: mon}')).toContain(
      '`digests.day` must be a day of the month',
    )
  })

  it.each([
    ['mial: {}', '`mial` is not known: did you mean `mail`?'],
    ['mail: {form: a@b.example}', '`mail.form` is not known: did you mean `mail.from`?'],
    ['site: {baseURL: x}', 'did you mean `site.baseUrl`?'],
    [
      'categories: {tech: {titel: x}}',
      '`categories.tech.titel` is not known: did you mean `categories.tech.title`?',
    ],
    ['server: {colour: red}', '`server.colour` is not known: known are `trustedProxies`'],
    ['sources: [{url: "https://a.example/feed", evry: 1h}]', 'did you mean `sources.0.every`?'],
    ['site: {baseUrl: "https://a.example/news"}', 'without path'],
    ['site: {baseUrl: news.example}', 'beginning with `https://`'],
    ['site: {timeZone: Mars/Olympus}', 'time zone such as `Europe/Berlin`'],
    ['site: {timeZone: "+08:00"}', 'time zone such as'],
    ['site: {language: "not a language"}', 'language tag such as'],
    ['site: {accent: red}', 'colour such as'],
    ['categories: {history: {}}', '`history` is reserved'],
    ['categories: {"Two Words": {}}', 'must be a slug'],
    ['categories: {Tech: {}}', 'small letters'],
    ['mail: {from: "a@b.example, c@d.example"}', 'must be one address'],
    ['mail: {from: "Gazette\\r\\nBcc: x@y.example <a@b.example>"}', 'single line'],
    ['mail: {limits: {perSecond: 0}}', 'number from 1 to'],
    ['digests: {at: "24:00"}', 'must be a time'],
    ['digests: {cadence: monthly, day: mon}', 'day of the month'],
    ['digests: {day: 5}', 'day of the week'],
    ['digests: {cadence: monthly, day: second-mon}', '`first-` or `last-` with `mon` … `sun`'],
    ['digests: {cadence: monthly, day: first-}', '`first-` or `last-` with'],
    ['digests: {cadence: monthly, day: 32}', '`1` … `31`'],
    ['server: {trustedProxies: [10.0.0.0/40]}', 'IP address or a range'],
    ['feeds: {entries: 1000}', 'number from 1 to 200'],
    ['feeds: {redirects: {feed: "*"}}', 'path that begins with `/`'],
    ['feeds: {redirects: {/: "*"}}', 'must not be the address of a page of this service'],
    ['feeds: {redirects: {/feeds/: "*"}}', 'must not be the address of a page of this service'],
    ['feeds: {redirects: {/subscribe: "*"}}', 'must not be the address of a page of this service'],
    ['feeds: {redirects: {/categories/tech/: tech}}', 'the address of a page of this service'],
    ['content: {hiddenLines: ["("]}', 'is not a regular expression'],
    ['content: {hiddenLines: ["(a+)+"]}', 'takes too long'],
    ['content: {hiddenLines: ["(x|xx)+"]}', 'takes too long'],
    ['keep: {runsDays: 3}', 'number of days'],
    ['- a\n- b', 'The file must be a group of keys'],
    ['site: {title: ["', 'is not YAML'],
  ])('refuses %s', (yaml, message) => {
    expect(faultsOf(yaml)).toContain(message)
  })

  it('refuses a file over 1 MB', () => {
    expect(faultsOf(`# ${'x'.repeat(1_000_001)}`)).toContain('smaller than 1 MB')
  })

  it('names all faults at once', () => {
    const message = faultsOf('mial: {}\nsite: {timeZone: x, colour: y}\nfeeds: {entries: 0}', {
      BROADSHEET_SMTP_URL: 'mail.example',
    })
    for (const path of [
      'mial',
      'site.timeZone',
      'site.colour',
      'feeds.entries',
      'BROADSHEET_SMTP_URL',
    ]) {
      expect(message).toContain(`\`${path}\``)
    }
  })

  it('never repeats a password that stands in the environment', () => {
    expect(faultsOf('', { BROADSHEET_SMTP_URL: 'imap://me:hunter2@mail.example' })).not.toContain(
      'hunter2',
    )
  })

  it('answers a bomb of aliases at once', () => {
    const bomb = ['a0: &a0 [x]']
    for (let i = 1; i < 30; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`)
    expect(faultsOf(bomb.join('\n'))).toContain('is not known')
  })

  it('either takes a text or refuses it with a reason, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json().map((text) => `site: ${text}\nmail: ${text}\ncategories: ${text}`),
        ),
        (yaml) => {
          try {
            readSettings({ yaml })
          } catch (error) {
            expect(error).toBeInstanceOf(ServiceError)
          }
        },
      ),
    )
  })
})

describe('hiddenPatterns', () => {
  it('matches lines of nothing but links back, whole', () => {
    const [pattern] = hiddenPatterns(readSettings()).hiddenLines
    expect(pattern?.test('返回首页 | 返回泰州日报新闻')).toBe(true)
    expect(pattern?.test('back to the front page')).toBe(true)
    expect(pattern?.test('He went Back to the front page')).toBe(false)
  })
})
