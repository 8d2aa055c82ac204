const references: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const plainReferences: Record<string, string> = { '&': '&#x26;', '<': '&#x3C;', '>': '&#x3E;' }

// One pass of a regular expression makes a flat string. Three of `replaceAll` make a rope of
// pieces, whose later copying costs more than the rest of a rendering.
const special = /[&<>]/g

/** Cleaned text as XML or HTML text. `>` too, so that no `]]>` is left anywhere (XML 1.0 §2.4). */
export function escapeText(text: string): string {
  return text.replace(special, (character) => references[character] ?? character)
}

/**
 * Cleaned text for an element that is plain text but that readers may take for HTML, such as an RSS
 * title: the RSS Board advises hexadecimal references there.
 */
export function escapePlain(text: string): string {
  return text.replace(special, (character) => plainReferences[character] ?? character)
}
