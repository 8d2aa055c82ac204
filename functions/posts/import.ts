import type { ErrorCode } from '../error-codes.ts'
import type { Settings } from '../settings/settings.ts'
import { enqueueRegenerate } from './dirty.ts'
import type { ImportLine } from './import-line.ts'
import { type ImportPart, keepMet, readMet } from './import-parts.ts'
import { keepRejected } from './inbox.ts'
import { publishWindow } from './publish.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import type { Met, PublishPlatform } from './store-drafts.ts'

/** What became of one file or line. `id` with every stored post; `code` and `reason` with the last three. */
export interface ReportLine {
  /** The file's path as it was given, or `line <n>`. */
  path: string
  outcome: 'published' | 'updated' | 'unchanged' | 'hidden' | 'ignored' | 'refused'
  id?: string
  code?: ErrorCode
  reason?: string
}

export interface ImportOptions {
  /** Mail them too, as if they had been published. */
  mail?: boolean
  /** Reports what would become of each and writes nothing. */
  dryRun?: boolean
  /** What of a path names a post: all of it, or the file's name. @default the setting */
  identity?: Settings['content']['identity']
  /** The lines are a part of an import that comes in several. */
  part?: ImportPart
  /** Takes the ids of jobs that write the feeds and pages. */
  onJobs?: (jobIds: readonly string[]) => void
}

/** So many lines are stored together, or so many bytes. */
const windowLines = 256
const windowBytes = 8 * 1024 * 1024

/**
 * Imports a stream of posts: one report line for each line, in their order, as soon as its window
 * is stored. Memory is bounded by the window; feeds are rendered once, after the end. Two lines that
 * lead to one post are not merged: the second is refused. A crash, or a consumer that leaves, loses
 * nothing that was reported, and the same import again goes on where it stopped.
 */
export async function* importPosts(
  platform: PublishPlatform,
  lines: AsyncIterable<ImportLine> | Iterable<ImportLine>,
  options: ImportOptions = {},
): AsyncGenerator<ReportLine> {
  const { mail = false, dryRun = false, part, onJobs } = options
  const content = { ...platform.settings.content }
  if (options.identity) content.identity = options.identity
  const importing = { ...platform, settings: { ...platform.settings, content } }
  const met: Met = part
    ? await readMet(platform, part)
    : { posts: new Map(), identities: new Map() }
  const kept = new Set([...met.identities.keys()].map((hash) => `key#${hash}`))
  const dirty = new Set<string>()
  let order = part ? part.firstLine - 1 : 0
  try {
    for await (const window of windowsOf(lines)) {
      const files = window.filter((line) => line.status === 'source')
      const sources = files.map((line) => line.source)
      const { outcomes, feeds, jobIds } = await publishWindow(
        importing,
        sources,
        { way: 'import', mail, dryRun, met, regenerate: false },
        order,
      )
      order += files.length
      for (const feed of feeds) dirty.add(feed)
      onJobs?.(jobIds)
      if (part) await keepMet(platform, part, met, kept)
      const outcomeOf = new Map(files.map((line, i) => [line as ImportLine, outcomes[i]]))
      for (const line of window) {
        const report = reportOf(line, outcomeOf.get(line))
        if (!dryRun) await keepIfRefused(platform, line, report)
        yield report
      }
    }
  } finally {
    const jobIds = await enqueueRegenerate(platform, [...dirty])
    onJobs?.(jobIds)
  }
}

async function* windowsOf(
  lines: AsyncIterable<ImportLine> | Iterable<ImportLine>,
): AsyncGenerator<ImportLine[]> {
  let window: ImportLine[] = []
  let bytes = 0
  for await (const line of lines) {
    const size = line.status === 'source' ? line.source.bytes.length : 0
    if (window.length === windowLines || (window.length > 0 && bytes + size > windowBytes)) {
      yield window
      window = []
      bytes = 0
    }
    window.push(line)
    bytes += size
  }
  if (window.length > 0) yield window
}

function reportOf(line: ImportLine, outcome: PublishOutcome | undefined): ReportLine {
  const of = line.status === 'source' ? outcome : line
  if (!of) throw new Error('A source of an import has no outcome.')
  if (of.status === 'ignored' || of.status === 'refused') {
    return { path: line.name, outcome: of.status, code: of.code, reason: of.reason }
  }
  const { status, post, code = 'post.hidden', reason = '' } = of
  const report = { path: line.name, outcome: status, id: post.id }
  return status === 'hidden' ? { ...report, code, reason } : report
}

async function keepIfRefused(
  platform: PublishPlatform,
  line: ImportLine,
  { outcome, code, reason }: ReportLine,
): Promise<void> {
  if (outcome !== 'refused' || line.status !== 'source') return
  if (code === undefined || reason === undefined) return
  await keepRejected(platform, {
    path: line.name,
    bytes: line.source.bytes,
    code,
    reason,
  })
}
