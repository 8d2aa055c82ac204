/** Characters that are read one by one, about 400 a minute; the others come as words, about 220. */
const ideographs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

/** Minutes that a text takes, at least 1. Chinese, Japanese and Korean count by characters. */
export function readingMinutes(text: string): number {
  const characters = text.match(ideographs)?.length ?? 0
  const words = text.replaceAll(ideographs, ' ').match(/[\p{L}\p{N}][^\s]*/gu)?.length ?? 0
  return Math.max(1, Math.round(characters / 400 + words / 220))
}
