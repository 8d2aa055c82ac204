/** Cleaned text as XML or HTML text. `>` too, so that no `]]>` is left anywhere (XML 1.0 §2.4). */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/**
 * Cleaned text for an element that is plain text but that readers may take for HTML, such as an RSS
 * title: the RSS Board advises hexadecimal references there.
 */
export function escapePlain(text: string): string {
  return text.replaceAll('&', '&#x26;').replaceAll('<', '&#x3C;').replaceAll('>', '&#x3E;')
}
