import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, missingBrowser } from './browser.ts'

const root = join(import.meta.dirname, '../..')
const output = join(import.meta.dirname, 'output')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Starts the service as a person does, with its demo posts, and waits until it says where it is. */
async function startService(data: string): Promise<{ process: ChildProcess; origin: string }> {
  const service = spawn(
    process.execPath,
    [
      join(root, 'bin/broadsheet.js'),
      ...['start', '--demo', '--data', data, '--port', '0'],
      ...['--config', join(root, 'broadsheet.yaml')],
    ],
    { cwd: data, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const origin = await new Promise<string>((resolve, reject) => {
    let said = ''
    const listen = (chunk: Buffer) => {
      said += chunk.toString()
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
      if (found) resolve(found[0])
    }
    service.stdout.on('data', listen)
    service.stderr.on('data', listen)
    service.on('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)))
  })
  return { process: service, origin }
}

describe.skipIf(missingBrowser)('the running service in a browser', () => {
  let browser: Browser
  let service: ChildProcess
  let origin: string
  const data = mkdtempSync(join(tmpdir(), 'broadsheet-browser-'))

  beforeAll(async () => {
    ;({ process: service, origin } = await startService(data))
    browser = await launchBrowser()
    mkdirSync(output, { recursive: true })
  })
  afterAll(async () => {
    await browser?.close()
    const ended = new Promise((resolve) => service?.on('exit', resolve))
    service?.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true, force: true })
  })

  /** A page that notes whatever goes wrong on it, and anything fetched from elsewhere. */
  async function open(options: BrowserContextOptions): Promise<{ page: Page; problems: string[] }> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('console', (message) => problems.push(`${page.url()}: ${message.text()}`))
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`)
    })
    page.on('request', (request) => {
      if (request.resourceType() === 'image') return
      if (!request.url().startsWith(origin)) problems.push(`asked for ${request.url()}`)
    })
    return { page, problems }
  }

  /** The newest mail to an address, opened in the outbox. */
  async function openMail(page: Page, to: string): Promise<void> {
    await page.goto(`${origin}/outbox/`)
    await page.locator('li', { hasText: to }).first().getByRole('link').click()
  }

  it('takes a reader from the form to a subscription, its change and its end, without any script', async () => {
    const { page, problems } = await open({ javaScriptEnabled: false, locale: 'de-DE' })
    const email = 'leserin@example.org'
    await page.goto(`${origin}/subscribe`)
    await page.getByLabel('E-Mail-Adresse').fill(email)
    await page.getByLabel('Einmal am Tag').check()
    await page.locator('input[name=categories]:not([type=hidden])').first().check()
    await page.getByRole('button', { name: 'Abonnieren' }).click()
    await expect
      .poll(() => page.getByRole('heading', { level: 1 }).textContent())
      .toBe('Sehen Sie in Ihr Postfach')

    await expect
      .poll(async () => (await page.goto(`${origin}/outbox/`)) && page.getByText(email).count())
      .toBeGreaterThan(0)
    await openMail(page, email)
    await page.screenshot({ path: join(output, 'journey-outbox-mail.png'), fullPage: true })
    await page.frameLocator('iframe').getByRole('link', { name: 'Abonnement bestätigen' }).click()
    await page.waitForURL('**/confirm/**')
    await page.screenshot({ path: join(output, 'journey-confirm.png'), fullPage: true })
    await page.getByRole('button', { name: 'Bestätigen' }).click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sie haben abonniert')
    await page.screenshot({ path: join(output, 'journey-confirmed.png'), fullPage: true })

    await page.getByRole('link', { name: 'Auswahl ändern' }).click()
    await page.getByLabel('Einmal im Monat').check()
    await page.locator('summary').click()
    await page.getByLabel('Tag', { exact: true }).selectOption('last-sun')
    await page.getByLabel('Uhrzeit').fill('18:30')
    await page.getByRole('button', { name: 'Speichern' }).click()
    expect(await page.getByRole('status').textContent()).toContain('gespeichert')
    expect(await page.getByLabel('Einmal im Monat').isChecked()).toBe(true)
    expect(await page.locator('[name=day]').inputValue()).toBe('last-sun')
    await page.screenshot({ path: join(output, 'journey-preferences.png'), fullPage: true })

    await page.getByRole('button', { name: 'Abbestellen' }).click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Abbestellt')
    await page.getByRole('link', { name: 'Wiederkommen' }).click()
    expect(await page.getByText('zurzeit kein Abonnement').count()).toBe(1)
    expect(await page.context().cookies()).toEqual([])
    expect(problems).toEqual([])
    await page.context().close()
  })

  it('keeps what was typed in a form that it refuses, and leads to the fault', async () => {
    const { page } = await open({ javaScriptEnabled: false, locale: 'zh-CN' })
    await page.goto(`${origin}/subscribe`)
    await page.getByLabel('电子邮箱').fill('nobody')
    await page.getByLabel('每天一封').check()
    await page.getByRole('button', { name: '订阅' }).click()
    expect(await page.title()).toMatch(/^有误/)
    expect(await page.getByLabel('电子邮箱').inputValue()).toBe('nobody')
    expect(await page.getByLabel('每天一封').isChecked()).toBe(true)
    await page.getByRole('alert').getByRole('link').first().click()
    expect(page.url()).toContain('#field-email')
    await page.context().close()
  })

  it('shows pages of real posts that everyone can read', async () => {
    const { page, problems } = await open({
      bypassCSP: true,
      viewport: { width: 320, height: 800 },
    })
    const paths = ['/', '/feeds/', '/archive/', '/subscribe', '/outbox/', '/api/docs']
    await page.goto(`${origin}/`)
    const links = await page
      .locator('main li a')
      .evaluateAll((all) => all.map((a) => new URL((a as HTMLAnchorElement).href).pathname))
    for (const path of [...paths, ...new Set(links)]) {
      await page.goto(origin + path)
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      if (wide > 0) problems.push(`${path} is ${wide} px too wide`)
      await page.evaluate(axe)
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as { axe: typeof import('axe-core') }
        const result = await axe.run(
          { include: ['html'], exclude: ['option'] },
          {
            resultTypes: ['violations'],
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
          },
        )
        return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`)
      })
      problems.push(...violations.map((violation) => `${path}: ${violation}`))
    }
    expect(problems).toEqual([])
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.goto(`${origin}/`)
    await page.screenshot({ path: join(output, 'demo-home-1280.png'), fullPage: true })
    await page.context().close()
  })

  it.runIf(process.env.BROADSHEET_PICTURES === '1')(
    'stands in the README as it looks: the front page beside the digest',
    async () => {
      const { page } = await open({ viewport: { width: 740, height: 915 }, deviceScaleFactor: 2 })
      await page.goto(`${origin}/`)
      const front = await page.screenshot()
      await page.goto(`${origin}/outbox/`)
      const digest = page.locator('li', { hasText: 'reader@example.com' }).getByRole('link').first()
      await page.goto(`${origin}${await digest.getAttribute('href')}/html`)
      const mail = await page.screenshot()
      await page.context().close()

      const { page: sheet } = await open({ viewport: { width: 1600, height: 985 } })
      const pictures = [front, mail].map(
        (one) =>
          `<img src="data:image/png;base64,${one.toString('base64')}" width="740" height="915">`,
      )
      await sheet.setContent(
        `<body style="margin:0;background:#d8d5ce;display:flex;gap:40px;padding:35px 40px">${pictures.join('')}`,
      )
      await sheet.screenshot({ path: join(root, 'docs/images/broadsheet.png') })
      await sheet.context().close()
    },
  )

  it('sends a page of at most 20 kB, styles included, and leads a browser from a feed to its page', async () => {
    for (const path of ['/', '/subscribe', '/feeds/']) {
      // Each as a first visitor: what is kept from before counts less than nothing.
      const { page, problems } = await open({})
      const sizes: Promise<number>[] = []
      page.on('response', (response) => {
        const request = response.request()
        if (request.resourceType() === 'image') return
        sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
      })
      await page.goto(origin + path, { waitUntil: 'networkidle' })
      expect(sizes.length, path).toBeGreaterThanOrEqual(2)
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
      expect(bytes, path).toBeGreaterThan(2000)
      expect(bytes, path).toBeLessThanOrEqual(20_000)
      expect(problems).toEqual([])
      await page.context().close()
    }
    const { page, problems } = await open({})
    await page.goto(`${origin}/feeds/rss.xml`)
    expect(page.url()).toBe(`${origin}/feeds/`)
    expect(problems).toEqual([])
    await page.context().close()
  })
})
