import { extensionOf } from './source-path.ts'

export const contentTypes = ['text/markdown', 'text/html', 'application/json'] as const

export type ContentType = (typeof contentTypes)[number]

/**
 * By the name's ending. Markdown's are those of Jekyll and its kin. `.txt` is none: folders of posts
 * hold licences, lists and `robots.txt` under that name, and hardly a post.
 */
const byExtension: Readonly<Record<string, ContentType>> = {
  md: 'text/markdown',
  markdown: 'text/markdown',
  mkd: 'text/markdown',
  mkdn: 'text/markdown',
  mkdown: 'text/markdown',
  mdown: 'text/markdown',
  mdx: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  xhtml: 'text/html',
  json: 'application/json',
}

/** Why a file is no post, wherever it comes in. */
export const noPostByName =
  'Posts are Markdown, HTML and JSON files (`.md`, `.html`, `.json`); this is none by its name.'

/** The media type of a file by its `/`-separated path, or `undefined` for a file that is no post. */
export function contentTypeOf(path: string): ContentType | undefined {
  const extension = extensionOf(path)
  return isPostExtension(extension) ? byExtension[extension] : undefined
}

/** Whether a file with this ending, in lower case and without the dot, is a post by its name. */
export function isPostExtension(extension: string): boolean {
  return Object.hasOwn(byExtension, extension)
}
