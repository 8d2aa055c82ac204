/**
 * The typefaces of pages and mails: what a system may have, best first. Nothing is downloaded. Han
 * characters differ by country, so each language has its own; a list for Latin text ends with those
 * of CJK, because a category's name says nothing of its language and would be set in whatever the
 * system falls back to.
 */
export const serifs = {
  latin: [
    'Iowan Old Style',
    'Palatino Linotype',
    'Palatino',
    'Source Serif 4',
    'P052',
    'TeX Gyre Pagella',
    'Georgia',
    'Songti SC',
    'Noto Serif CJK SC',
    'Source Han Serif SC',
    'Hiragino Mincho ProN',
    'SimSun',
    'Batang',
  ],
  simplifiedChinese: ['Songti SC', 'Noto Serif CJK SC', 'Source Han Serif SC', 'SimSun'],
  traditionalChinese: ['Songti TC', 'Noto Serif CJK TC', 'PMingLiU'],
  japanese: ['Hiragino Mincho ProN', 'Noto Serif CJK JP', 'Yu Mincho'],
  korean: ['AppleMyungjo', 'Noto Serif CJK KR', 'Batang'],
} as const

/** A `font-family` of serifs; `quote` is the mark that the text around does not use. */
export function serifStack(script: keyof typeof serifs, quote: '"' | "'"): string {
  const names = serifs[script].map((name) =>
    name.includes(' ') ? `${quote}${name}${quote}` : name,
  )
  return `${names.join(',')},serif`
}

/** The serifs for a language (BCP 47). */
export function scriptOf(language: string): keyof typeof serifs {
  const tag = language.toLowerCase()
  if (/^zh-(tw|hant|hk|mo)/.test(tag)) return 'traditionalChinese'
  if (tag.startsWith('zh')) return 'simplifiedChinese'
  if (tag.startsWith('ja')) return 'japanese'
  if (tag.startsWith('ko')) return 'korean'
  return 'latin'
}
