/** Words of a small language, so that texts compress and wrap as real ones do. */
const words =
  'harbour ledger compositor morning edition column printer reader folded sheet early tide letter margin quarter press ink northern window archive signal paper office review market river bridge station'.split(
    ' ',
  )

/** The same numbers in every run: figures of two runs compare. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

export const categories = Array.from({ length: 20 }, (_, n) => `section-${n + 1}`)

/** A Markdown post of about 2 kB with headings, links, a list and an image. */
export function samplePost(n: number): { path: string; source: string } {
  const next = random(n + 1)
  const sentence = (length: number) => {
    const text = Array.from({ length }, () => words[Math.floor(next() * words.length)]).join(' ')
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
  }
  const paragraph = () => Array.from({ length: 5 }, () => sentence(11)).join(' ')
  const category = categories[n % categories.length]
  // A post every four hours, the newest a day before now: 100,000 of them stay after 1970.
  const published = new Date(Date.now() - 86_400_000 - n * 4 * 3_600_000).toISOString()
  const source = `---
title: ${JSON.stringify(`${sentence(5)} (${n})`)}
date: ${published}
categories: [${category}]
tags: [bench, ${words[n % words.length]}]
---
${paragraph()}

## ${sentence(4)}

${paragraph()} See [the ${sentence(3)}](https://example.com/${n}) and **${sentence(2)}**

- ${sentence(6)}
- ${sentence(8)}

![${sentence(3)}](https://example.com/${n}.jpg)

${paragraph()}
`
  return { path: `2026/${n}.md`, source }
}
