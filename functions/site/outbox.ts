import type { Context } from 'hono'
import { Hono } from 'hono'
import { chooseLocale } from '../../templates/locales/index.ts'
import { mailPage, outboxPage } from '../../templates/pages/outbox-page.tsx'
import { notFound } from '../errors.ts'
import { isLoopback } from '../is-loopback.ts'
import { urlPaths } from '../keys.ts'
import type { Platform, ReadableOutbox } from '../platform.ts'

const mailsPerPage = 50
/** Enough of a message for its headers. */
const headBytes = 16_384

/**
 * The mails that stayed on this machine, to be looked at. They hold readers' addresses and working
 * links, so they are shown only to who sits at this machine: the site's address, the one that the
 * browser asked for and the one that it asked from must all be loopback. Everybody else is told
 * that there is nothing.
 */
export function outboxPages(platform: Platform): Hono {
  const pages = new Hono()
  const { settings } = platform

  pages.get(urlPaths.outbox, async (c) => {
    const outbox = openOutbox(c, platform)
    const after = c.req.query('after')
    const found = await outbox.list({
      limit: mailsPerPage + 1,
      ...(after === undefined ? {} : { after }),
    })
    const shown = found.slice(0, mailsPerPage)
    const mails = await Promise.all(shown.map((mail) => describe(outbox, mail)))
    const last = shown.at(-1)
    return answer(
      c,
      outboxPage({
        settings,
        locale: localeOf(c, platform),
        mails,
        ...(found.length > mailsPerPage && last
          ? { older: `${urlPaths.outbox}?after=${encodeURIComponent(last.id)}` }
          : {}),
      }),
    )
  })

  pages.get('/outbox/:id', async (c) => {
    const { id, raw } = await openMail(c, platform)
    const mail = await parse(raw)
    const view = c.req.query('view')
    return answer(
      c,
      mailPage({
        settings,
        locale: localeOf(c, platform),
        id,
        subject: mail.subject ?? '',
        from: mailboxText(mail.from),
        to: (mail.to ?? []).map(mailboxText).join(', '),
        date: mail.date ?? '',
        text: mail.text ?? '',
        source: Buffer.from(raw).toString('utf8'),
        view: view === 'text' || view === 'source' ? view : 'html',
      }),
    )
  })

  pages.get('/outbox/:id/html', async (c) => {
    const { raw } = await openMail(c, platform)
    const { html = '' } = await parse(raw)
    // A mail's styles are inline. It may lead the window to its links, and do nothing else.
    c.header(
      'content-security-policy',
      "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-ancestors 'self'",
    )
    c.header('x-frame-options', 'SAMEORIGIN')
    c.header('cache-control', 'no-store')
    return c.html(html.replace(/<head>/i, '<head><base target="_top">'))
  })
  return pages
}

function answer(c: Context, html: string): Response | Promise<Response> {
  c.header(
    'content-security-policy',
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  c.header('cache-control', 'no-store')
  return c.html(html)
}

function openOutbox(c: Context, { isLocal, machine, settings }: Platform): ReadableOutbox {
  const isOpen =
    isLocal &&
    isLoopback(new URL(settings.site.baseUrl).hostname) &&
    // Else a page elsewhere could reach it through a name that leads to this machine (DNS rebinding).
    isLoopback(hostnameOf(c.req.header('host') ?? new URL(c.req.url).host)) &&
    isLoopbackSocket(c.env?.incoming?.socket?.remoteAddress)
  const outbox = machine?.outbox
  if (!isOpen || !outbox) throw notFound('This page')
  return outbox
}

async function openMail(c: Context, platform: Platform): Promise<{ id: string; raw: Uint8Array }> {
  const outbox = openOutbox(c, platform)
  const id = c.req.param('id') ?? ''
  const raw = await outbox.read(id)
  if (!raw) throw notFound('This mail')
  return { id, raw }
}

async function describe(outbox: ReadableOutbox, { id, at }: { id: string; at: Date }) {
  const raw = (await outbox.read(id)) ?? new Uint8Array()
  const end = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.length, headBytes)).indexOf(
    '\r\n\r\n',
  )
  const mail = await parse(raw.subarray(0, end < 0 ? headBytes : end + 4))
  return {
    id,
    to: (mail.to ?? []).map(mailboxText).join(', '),
    subject: mail.subject || id,
    date: mail.date ?? at.toISOString(),
    href: `${urlPaths.outbox}${encodeURIComponent(id)}`,
  }
}

/** Loaded when a mail is first looked at. */
async function parse(raw: Uint8Array) {
  const { default: PostalMime } = await import('postal-mime')
  return PostalMime.parse(raw)
}

function mailboxText(
  box: { name?: string | undefined; address?: string | undefined } | undefined,
): string {
  return box?.name ? `${box.name} <${box.address ?? ''}>` : (box?.address ?? '')
}

function localeOf(c: Context, { settings }: Platform) {
  return chooseLocale(c.req.header('accept-language'), settings)
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
}

/** Without a socket the request was made within this process. */
function isLoopbackSocket(address: unknown): boolean {
  return typeof address !== 'string' || isLoopback(address)
}
