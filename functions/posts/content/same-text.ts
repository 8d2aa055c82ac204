/** Whether two texts have the same letters and digits in the same order. */
export function sameText(a: string, b: string): boolean {
  if (a === b) return true
  // Normal forms change lengths little: most texts need no closer look.
  if (a.length > 4 * b.length + 20 || b.length > 4 * a.length + 20) return false
  const bareText = bare(a)
  return bareText !== '' && bareText === bare(b)
}

const bare = (text: string) =>
  text
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase()
