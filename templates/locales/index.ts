import type { Settings } from '../../functions/settings/settings.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import type { Messages } from './messages.ts'
import { zhCn } from './zh-cn.ts'

/** By the tag that readers choose and settings name. A language more is a file and a line here. */
const dictionaries = { en, de, 'zh-CN': zhCn } as const satisfies Record<string, Messages>

export type Locale = keyof typeof dictionaries

/** In the order in which readers are shown them. */
export const locales = Object.keys(dictionaries) as readonly Locale[]

/** The words of a locale; those of the nearest one for a tag that has none. */
export function messagesFor(locale: string): Messages {
  return dictionaries[nearest(locale) ?? 'en']
}

/**
 * The locale for a person: of an `Accept-Language` header or an explicit tag the first wish that
 * there are words for, else the site's, else English. Never throws, whatever a browser sends.
 */
export function chooseLocale(wish: string | undefined, settings: Pick<Settings, 'site'>): Locale {
  const wishes = (wish ?? '')
    .slice(0, 500)
    .split(',')
    .slice(0, 20)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const q = parameters.map((p) => p.trim()).find((p) => p.startsWith('q='))
      const weight = q === undefined ? 1 : Number(q.slice(2))
      return { tag: tag.trim(), weight: Number.isNaN(weight) ? 0 : weight }
    })
    .filter(({ tag, weight }) => tag !== '' && tag !== '*' && weight > 0)
    .sort((a, b) => b.weight - a.weight)
  for (const { tag } of wishes) {
    const found = nearest(tag)
    if (found) return found
  }
  return nearest(settings.site.language) ?? 'en'
}

/**
 * `de-AT` → `de`, `zh-Hans-SG` and `zh` → `zh-CN`. Traditional Chinese is another script and not
 * served with simplified characters.
 */
function nearest(tag: string): Locale | undefined {
  const exact = locales.find((locale) => locale.toLowerCase() === tag.toLowerCase())
  if (exact) return exact
  const [language, ...rest] = tag.toLowerCase().split(/[-_]/)
  if (language === 'zh') {
    const isTraditional = rest.some((part) => ['hant', 'tw', 'hk', 'mo'].includes(part))
    const wanted = isTraditional ? 'zh-tw' : 'zh-cn'
    return locales.find((locale) => locale.toLowerCase() === wanted)
  }
  return locales.find((locale) => locale.toLowerCase().split('-')[0] === language)
}

/**
 * The tag that dates are written by: the site's own region where it has the page's language
 * (`en-GB` says 2 March 2026), else the page's.
 */
export function dateLocale(locale: string, settings: Pick<Settings, 'site'>): string {
  const site = settings.site.language
  return site.split('-')[0]?.toLowerCase() === locale.split('-')[0]?.toLowerCase() ? site : locale
}
