import type { Settings } from '../../settings/settings.ts'
import type { TextRun } from '../content/content.ts'

/**
 * The language that an author names, as BCP 47 (`zh_CN.UTF-8` is `zh-CN`); `undefined` when it is
 * none or the site's own.
 */
export function readLanguage(given: string | undefined, settings: Settings): string | undefined {
  if (given === undefined || given.length > 60) return undefined
  try {
    const [tag] = Intl.getCanonicalLocales(given.replace(/[.@].*$/, '').replaceAll('_', '-'))
    return tag?.toLowerCase() === settings.site.language.toLowerCase() ? undefined : tag
  } catch {
    return undefined
  }
}

/**
 * The language where the script alone tells it: kana is Japanese, hangul Korean, and Han without
 * either Chinese. `undefined` for all others, and when it is the site's: Latin letters say nothing.
 */
export function guessLanguage(runs: readonly TextRun[], settings: Settings): string | undefined {
  const prose = runs.filter(({ kind }) => kind !== 'code').map(({ text }) => text)
  const { kana, hangul, han, others } = countScripts(prose.join(' ').slice(0, 2000))
  const letters = kana + hangul + han + others
  if (letters < 4 || others * 2 > letters) return undefined
  const language =
    kana * 10 > letters
      ? 'ja'
      : hangul * 2 > letters
        ? 'ko'
        : kana + hangul === 0
          ? 'zh'
          : undefined
  return language === settings.site.language.split('-')[0]?.toLowerCase() ? undefined : language
}

function countScripts(text: string) {
  const counts = { kana: 0, hangul: 0, han: 0, others: 0 }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x3041 && code <= 0x30fa) counts.kana++
    else if (code >= 0x3400 && code <= 0x9fff) counts.han++
    else if (code >= 0xac00 && code <= 0xd7a3) counts.hangul++
    else if ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) counts.others++
    // Letters of other alphabets; from here on stand punctuation, forms and surrogates.
    else if (code >= 0xc0 && code < 0x2000) counts.others++
  }
  return counts
}
