import type { Settings } from '../settings.ts'
import type { TextRun } from './content.ts'

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
  const sample = prose.join(' ').slice(0, 600)
  const count = (pattern: RegExp) => sample.match(pattern)?.length ?? 0
  const letters = count(/\p{L}/gu)
  const kana = count(/[\p{sc=Hiragana}\p{sc=Katakana}]/gu)
  const hangul = count(/\p{sc=Hangul}/gu)
  const han = count(/\p{sc=Han}/gu)
  if (letters < 4 || (kana + hangul + han) * 2 < letters) return undefined
  const language =
    kana * 10 > letters
      ? 'ja'
      : hangul * 2 > letters
        ? 'ko'
        : kana === 0 && hangul === 0
          ? 'zh'
          : undefined
  return language === settings.site.language.split('-')[0]?.toLowerCase() ? undefined : language
}
