import { mkdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { favicon, stylesheet } from '../../templates/assets/stylesheet.ts'
import { launchBrowser, missingBrowser, picture, serveTexts } from './browser.ts'
import { type SampleLocale, sampleMails, samplePages } from './sample-pages.ts'

const locales: SampleLocale[] = ['en', 'de', 'zh-CN']
const output = join(import.meta.dirname, 'output')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const schemes = ['light', 'dark'] as const
/**
 * Every width in every scheme for one language; for the others the two that differ most. The checker
 * takes most of the time, and what it looks at differs between narrow and wide, light and dark.
 */
const views = {
  en: [
    { width: 320, scheme: 'light', isChecked: true },
    { width: 1280, scheme: 'dark', isChecked: true },
    { width: 1280, scheme: 'light', isChecked: false },
    { width: 320, scheme: 'dark', isChecked: false },
    { width: 768, scheme: 'light', isChecked: false },
  ],
  other: [
    { width: 320, scheme: 'light', isChecked: true },
    { width: 1280, scheme: 'dark', isChecked: false },
  ],
} as const

/** Pictures of every page are for people, and take half of the time: `BROADSHEET_PICTURES=1` makes them. */
const isLookedAt = process.env.BROADSHEET_PICTURES === '1'

describe.skipIf(missingBrowser)('pages in a browser', () => {
  let browser: Browser
  let server: Server
  let origin: string
  const names: string[] = []

  beforeAll(async () => {
    const texts = new Map<string, { type: string; body: string; csp?: string }>()
    const { css, path } = stylesheet()
    texts.set(path, { type: 'text/css', body: css })
    texts.set(favicon.path, { type: 'image/svg+xml', body: favicon.svg })
    texts.set('/picture.svg', { type: 'image/svg+xml', body: picture })
    for (const locale of locales) {
      for (const [name, body] of await samplePages(locale)) {
        texts.set(`/${locale}/${name}`, { type: 'text/html; charset=utf-8', body })
        names.push(`${locale}/${name}`)
      }
      for (const [name, { html }] of sampleMails(locale)) {
        const csp = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
        texts.set(`/mail/${locale}/${name}`, { type: 'text/html; charset=utf-8', body: html, csp })
      }
    }
    ;({ server, origin } = await serveTexts(texts))
    browser = await launchBrowser()
    mkdirSync(output, { recursive: true })
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  it.each(locales)(
    'every page in %s is readable for everyone, at every width',
    async (locale) => {
      const problems: string[] = []
      for (const { width, scheme, isChecked } of locale === 'en' ? views.en : views.other) {
        // `bypassCSP` lets the checker in; that pages have no script is looked at below.
        const context = await browser.newContext({
          colorScheme: scheme,
          bypassCSP: true,
          viewport: { width, height: 900 },
        })
        const page = await context.newPage()
        page.on('console', (message) => problems.push(`${page.url()}: ${message.text()}`))
        page.on('pageerror', (error) => problems.push(error.message))
        for (const name of names.filter((one) => one.startsWith(`${locale}/`))) {
          await page.goto(`${origin}/${name}`)
          const label = `${name.replace('/', '-')}-${width}-${scheme}`
          const { wide, scripts, lang } = await page.evaluate(() => ({
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            scripts: document.querySelectorAll('script, [style], [onclick]').length,
            lang: document.documentElement.lang,
          }))
          if (wide > 0) problems.push(`${label} is ${wide} px too wide`)
          if (scripts > 0) problems.push(`${label} has scripts or inline styles`)
          if (lang !== locale) problems.push(`${label} says that it is in ${lang}`)
          // After the look at inline styles: hiding the caret sets one.
          if (isLookedAt)
            await page.screenshot({ path: join(output, `${label}.png`), fullPage: true })
          if (!isChecked) continue
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
            return result.violations.map(
              ({ id, nodes }) =>
                `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`,
            )
          })
          problems.push(...violations.map((violation) => `${label}: ${violation}`))
        }
        await context.close()
      }
      expect(problems).toEqual([])
    },
    600_000,
  )

  it.each(locales)('every mail in %s fits a telephone and a desk', async (locale) => {
    const problems: string[] = []
    for (const scheme of schemes) {
      const context = await browser.newContext({ colorScheme: scheme })
      const page = await context.newPage()
      for (const width of [320, 768]) {
        await page.setViewportSize({ width, height: 900 })
        for (const name of sampleMails(locale).keys()) {
          await page.goto(`${origin}/mail/${locale}/${name}`)
          const label = `mail-${locale}-${name}-${width}-${scheme}`
          if (isLookedAt)
            await page.screenshot({ path: join(output, `${label}.png`), fullPage: true })
          const wide = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          if (wide > 0) problems.push(`${label} is ${wide} px too wide`)
        }
      }
      await context.close()
    }
    expect(problems).toEqual([])
  })
})
