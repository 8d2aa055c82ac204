import type { Settings } from '../../settings/settings.ts'
import { ownOrigin } from '../own-address.ts'
import type { Dialect } from './front-matter.ts'
import { resolveLiquid } from './liquid.ts'
import type { PostFields } from './post-fields.ts'

interface BodyContext {
  dialect: Dialect
  markup: 'markdown' | 'html'
  fields: PostFields
  settings: Settings
  extension: string | undefined
}

/**
 * Readies a body for rendering: Jekyll's Liquid (behind YAML only; elsewhere `{%` is text), the
 * author's own excerpt separator as the common mark, and MDX's imports and exports, which are no text.
 */
export function prepareBody(body: string, context: BodyContext): string {
  const { dialect, markup, fields, settings, extension } = context
  let text = body
  const separator = fields.excerptSeparator
  const at = separator?.trim() ? text.indexOf(separator) : -1
  if (at !== -1) text = `${text.slice(0, at)}\n\n<!-- more -->\n\n${text.slice(at)}`
  if (dialect === 'yaml') {
    text = resolveLiquid(text, {
      baseUrl: ownOrigin,
      siteTitle: settings.site.title,
      ...(fields.title !== undefined && { pageTitle: fields.title }),
      markup,
    })
  }
  if (extension === 'mdx') {
    text = text
      .replace(/^(?:import\s[^\n]*|export\s[^\n]*)$/gm, '')
      .replace(/^\{\/\*\s*(truncate|more)\s*\*\/\}$/gm, '<!-- $1 -->')
  }
  return text
}
