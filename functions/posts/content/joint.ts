/** Scripts written without blanks, and their punctuation; Korean has blanks. */
const wide =
  /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff00-\uff60\u2018-\u201d\u2026\u2014]$/u

/**
 * What stands between two texts that follow each other: a blank, or nothing where both sides are of
 * a script that has none, as a line or a paragraph ends there in the middle of a run of characters.
 */
export function jointOf(before: string, after: string): '' | ' ' {
  const last = [...before.slice(-2)].at(-1) ?? ''
  const first = [...after.slice(0, 2)][0] ?? ''
  return wide.test(last) && wide.test(first) ? '' : ' '
}

const letter = /\p{L}$/u

/**
 * Paragraphs and headings as one text. One that ends without punctuation, as a heading does, keeps a
 * blank in any script, or two sentences would read as one.
 */
export function joinTexts(texts: readonly string[]): string {
  return texts.reduce((before, text) => {
    if (before === '') return text
    const joint = letter.test(before) ? ' ' : jointOf(before, text)
    return `${before}${joint}${text}`
  }, '')
}

/** Blanks as one blank; where a line ended, as `jointOf` says. */
export function collapseBlanks(text: string): string {
  if (!/\s\s|[^\S ]/.test(text)) return text
  return text.replace(/\s+/g, (blanks, at: number) =>
    blanks.includes('\n')
      ? jointOf(
          text.slice(Math.max(0, at - 2), at),
          text.slice(at + blanks.length, at + blanks.length + 2),
        )
      : ' ',
  )
}
