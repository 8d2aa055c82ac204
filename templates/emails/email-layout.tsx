import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import { urlPaths } from '../../functions/keys.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { accentFor, colours } from '../assets/accent.ts'
import { scriptOf, serifStack } from '../assets/typefaces.ts'
import { messagesFor } from '../locales/index.ts'
import type { MailLinks } from './email.ts'

const { light, dark } = colours

const sans = `-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif`

/** The serif stack for a language, as an inline style takes it. */
export function serifFor(language: string): string {
  return serifStack(scriptOf(language), "'")
}

/** Inline, because many mail programs drop all other styles. */
export const styles = {
  small: `font-family:${sans};font-size:14px;line-height:1.5;color:${light.quiet}`,
  label: `font-family:${sans};font-size:14px;line-height:1.5;font-weight:bold;color:${light.ink}`,
  headline: `margin:0;-webkit-hyphens:auto;hyphens:auto;hyphenate-limit-chars:14 6 6;font-size:20px;line-height:1.3;font-weight:bold;color:${light.ink}`,
  lead: `margin:0;font-size:26px;line-height:1.2;font-weight:bold;color:${light.ink}`,
  text: `margin:0;font-size:16px;line-height:1.6;color:${light.ink}`,
  link: `color:${light.ink};text-decoration:none`,
  quietLink: `color:${light.quiet};text-decoration:underline`,
  hairline: `border-top:1px solid ${light.hairline}`,
  inkLine: `border-top:1px solid ${light.ink}`,
} as const

const darkRules = (accent: string) => `
:root{color-scheme:light dark;supported-color-schemes:light dark}
a:hover{text-decoration:underline!important}
@media (prefers-color-scheme:dark){
.paper{background:${dark.paper}!important}
.ink,.ink a,.ink p,.ink td,.ink li,.ink h1,.ink h2,.ink h3,.ink h4{color:${dark.ink}!important}
.quiet,.quiet a{color:${dark.quiet}!important}
.line{border-color:${dark.hairline}!important}
.ink{border-color:${dark.ink}!important}
.accent{border-color:${accent}!important}
.button a{background:${accent}!important;border-color:${accent}!important;color:${dark.paper}!important}
}
@media (max-width:480px){.thumb{display:none!important}.side{padding-left:18px!important;padding-right:18px!important}}
`

interface LayoutProps {
  settings: Settings
  locale: string
  title: string
  /** Shown beside the subject in a list of mails. */
  preheader?: string
  /** Between the site's title and the rule. */
  subtitle?: string
  /** The same mail on the web. */
  webUrl?: string
  footer?: Child
  children?: Child
}

// Fills up the line beside the subject, so that no text of the mail runs into it.
const filler = '&#847;&zwnj;&nbsp;'.repeat(60)

/** The paper of every mail: 600 px with its margins, one column, masthead, content, footer. */
export function EmailLayout(props: LayoutProps) {
  const { settings, title, preheader, subtitle, webUrl } = props
  const m = messagesFor(props.locale)
  const serif = serifFor(m.locale)
  const { site } = settings
  return (
    <html lang={m.locale} dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <meta name="format-detection" content="telephone=no,date=no,address=no,email=no" />
        <title>{title}</title>
        {raw(
          '<!--[if mso]><xml><o:OfficeDocumentSettings xmlns:o="urn:schemas-microsoft-com:office:office"><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><style>td,p,h1,h2,h3,a{font-family:Georgia,serif!important}</style><![endif]-->',
        )}
        <style>{raw(darkRules(accentFor('dark', site.accent)))}</style>
      </head>
      <body class="paper" style={`margin:0;padding:0;background:${light.paper}`}>
        {preheader && (
          <div style="display:none;max-height:0;overflow:hidden;mso-hide:all">
            {preheader}
            {raw(filler)}
          </div>
        )}
        <Table class="paper" style={`background:${light.paper}`}>
          <tr>
            <td align="center" class="side" style="padding:0 24px">
              {raw(
                '<!--[if mso]><table role="presentation" width="552" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->',
              )}
              <Table
                style={`max-width:552px;table-layout:fixed;word-wrap:break-word;overflow-wrap:break-word;font-family:${serif};text-align:left`}
              >
                <tr>
                  <td
                    class="accent"
                    style={`padding:28px 0 14px;border-bottom:4px double ${accentFor('light', site.accent)}`}
                  >
                    <p
                      class="ink"
                      style={`margin:0;font-family:${serifFor(site.language)};font-size:32px;line-height:1.15;font-weight:bold`}
                    >
                      <a href={site.baseUrl} style={styles.link} lang={site.language}>
                        {site.title}
                      </a>
                    </p>
                    {(subtitle || webUrl) && (
                      <p class="quiet" style={`margin:6px 0 0;${styles.small}`}>
                        {subtitle}
                        {subtitle && webUrl && ' · '}
                        {webUrl && (
                          <a href={webUrl} style={styles.quietLink}>
                            {m.mail.viewOnline}
                          </a>
                        )}
                      </p>
                    )}
                  </td>
                </tr>
                {props.children}
                {props.footer}
              </Table>
              {raw('<!--[if mso]></td></tr></table><![endif]-->')}
            </td>
          </tr>
        </Table>
      </body>
    </html>
  )
}

/** A table that is for layout only and says so to who listens. */
export function Table(props: { class?: string; style?: string; children?: Child }) {
  return (
    <table
      role="presentation"
      width="100%"
      cellpadding="0"
      cellspacing="0"
      border={0}
      class={props.class}
      style={`border-collapse:collapse;${props.style ?? ''}`}
    >
      {props.children}
    </table>
  )
}

/** A row of the mail. */
export function Row(props: { padding?: string; line?: 'hair' | 'ink'; children?: Child }) {
  const { padding = '20px 0 0', line } = props
  return (
    <tr>
      <td
        {...(line ? { class: line === 'ink' ? 'ink' : 'line' } : {})}
        style={`padding:${padding}${line ? `;${line === 'ink' ? styles.inkLine : styles.hairline}` : ''}`}
      >
        {props.children}
      </td>
    </tr>
  )
}

/** Why the mail came, how to change or stop it, and who sends it. Never left out for length. */
export function Footer(props: {
  settings: Settings
  locale: string
  why: string
  links: MailLinks
}) {
  const { settings, why, links } = props
  const { mail } = messagesFor(props.locale)
  const { baseUrl } = settings.site
  return (
    <Row padding="20px 0 40px" line="hair">
      <p class="quiet" style={`margin:0;${styles.small}`}>
        {why}
      </p>
      <p class="quiet" style={`margin:10px 0 0;${styles.small}`}>
        <a href={links.preferences} style={styles.quietLink}>
          {mail.preferences}
        </a>
        {' · '}
        <a href={links.unsubscribe} style={styles.quietLink}>
          {mail.unsubscribe}
        </a>
        {' · '}
        <a href={`${baseUrl}${urlPaths.archive}`} style={styles.quietLink}>
          {mail.archive}
        </a>
      </p>
      <PostalAddress settings={settings} />
    </Row>
  )
}

/** As the law of many countries wants it in every mail of a publisher. */
export function PostalAddress({ settings }: { settings: Settings }) {
  const lines = settings.mail.postalAddress?.split('\n').map((line) => line.trim())
  if (!lines) return null
  return (
    <p class="quiet" style={`margin:10px 0 0;${styles.small}`}>
      {lines.filter(Boolean).join(', ')}
    </p>
  )
}

/** The one button of a mail that has one, with the address below for programs that hide links. */
export function ActionButton(props: {
  settings: Settings
  url: string
  text: string
  orCopy: string
}) {
  const accent = accentFor('light', props.settings.site.accent)
  return (
    <>
      <table role="presentation" cellpadding="0" cellspacing="0" border={0} style="margin:24px 0">
        <tr>
          <td class="button" style={`background:${accent}`}>
            <a
              href={props.url}
              style={`display:inline-block;padding:12px 24px;border:1px solid ${accent};background:${accent};font-family:${sans};font-size:16px;line-height:1.25;font-weight:bold;color:${light.paper};text-decoration:none`}
            >
              {props.text}
            </a>
          </td>
        </tr>
      </table>
      <p class="quiet" style={`margin:0;${styles.small}`}>
        {props.orCopy}
        <br />
        <a href={props.url} style={`${styles.quietLink};word-break:break-all`}>
          {props.url}
        </a>
      </p>
    </>
  )
}
