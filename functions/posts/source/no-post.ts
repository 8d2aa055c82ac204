import type { ErrorCode } from '../../error-codes.ts'
import { isPostExtension, noPostByName } from './content-type.ts'
import type { PostFields } from './post-fields.ts'
import type { SourcePath } from './source-path.ts'

/** What folders of posts hold beside posts, when there is no front matter to say otherwise. */
const documents =
  /^(readme|licen[cs]e|copying|notice|changelog|changes|history|contributing|contributors|code[_-]of[_-]conduct|security|support|authors|todo|install|upgrading)([._-].*)?\.[a-z]+$/i

interface Candidate {
  place: SourcePath | undefined
  /** Said to be a post by whoever sent it, whatever its name. */
  isJson: boolean
  /** Without any front matter. */
  isBare: boolean
  fields: PostFields
  body: string
  way: 'publish' | 'import'
}

interface NoPost {
  code: ErrorCode
  reason: string
}

/**
 * Says why something is no post and was not meant as one: another kind of file, a section of the
 * site, a page, the repository's own documents. What is published by name is taken more willingly
 * than what an import comes across. `undefined` for everything else, broken posts included.
 */
export function whyNoPost(candidate: Candidate): NoPost | undefined {
  const { place, isJson, isBare, fields, body, way } = candidate
  if (isJson) return undefined
  if (place && !isPostFile(place, way)) {
    return { code: 'post.not-a-post', reason: noPostByName }
  }
  if (place?.isSection) {
    return { code: 'section', reason: 'It describes a section of the site.' }
  }
  if (way === 'publish') return undefined
  if (isBare && documents.test(place?.name ?? '')) {
    return { code: 'document', reason: 'It is a document of the repository, without front matter.' }
  }
  if (fields.title === undefined && fields.date === undefined && body.trim() === '') {
    return { code: 'empty', reason: 'It has no title, no date and no text.' }
  }
  if (fields.isPage && fields.date === undefined && !place?.nameDay) {
    return { code: 'page', reason: 'Its layout is a page’s, and it has no date.' }
  }
  return undefined
}

function isPostFile(place: SourcePath, way: 'publish' | 'import'): boolean {
  return place.extension === '' ? way === 'publish' : isPostExtension(place.extension)
}
