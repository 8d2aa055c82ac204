import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Settings } from '../settings.ts'
import { enqueueRegenerate } from './dirty.ts'
import type { ImportLine } from './import-line.ts'
import { keepRejected } from './inbox.ts'
import { publishWindow, sourceBytes } from './publish.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import type { Met, PublishPlatform } from './store-drafts.ts'

/** What became of one file or line. `id` with every stored post; `code` and `reason` with the last three. */
export interface ReportLine {
  /** The file's path as it was given, or `line <n>`. */
  path: string
  outcome: 'published' | 'updated' | 'unchanged' | 'hidden' | 'ignored' | 'refused'
  id?: string
  code?: string
  reason?: string
}

export interface ImportOptions {
  /** Mail them too, as if they had been published. */
  mail?: boolean
  /** Reports what would become of each and writes nothing. */
  dryRun?: boolean
  /** What of a path names a post: all of it, or the file's name. @default the setting */
  identity?: Settings['content']['identity']
  /** Takes the ids of jobs that feeds and pages wait for. */
  onJobs?: (jobIds: readonly string[]) => void
}

/** So many lines are stored together, or so many bytes. */
const windowLines = 256
const windowBytes = 8 * 1024 * 1024

/**
 * Imports a stream of posts: one report line for each line, in their order, as soon as its window
 * is stored. Memory is bounded by the window; feeds are rendered once, after the end. Two lines that
 * lead to one post are not merged: the second is refused. A crash or a consumer that leaves loses
 * nothing that was reported, and the same import again goes on where it stopped.
 */
export async function* importPosts(
  platform: PublishPlatform,
  lines: AsyncIterable<ImportLine> | Iterable<ImportLine>,
  options: ImportOptions = {},
): AsyncGenerator<ReportLine> {
  const { settings } = platform
  const content = { ...settings.content, identity: options.identity ?? settings.content.identity }
  const importer = new Importer({ ...platform, settings: { ...settings, content } }, options)
  let window: ImportLine[] = []
  let bytes = 0
  try {
    for await (const line of lines) {
      const size = line.status === 'source' ? line.source.bytes.length : 0
      if (window.length === windowLines || (window.length > 0 && bytes + size > windowBytes)) {
        yield* await importer.take(window)
        window = []
        bytes = 0
      }
      window.push(line)
      bytes += size
    }
    if (window.length > 0) yield* await importer.take(window)
  } finally {
    await importer.end()
  }
}

/** What one import remembers between its windows. */
class Importer {
  readonly #platform: PublishPlatform
  readonly #options: ImportOptions
  readonly #met: Met = { posts: new Map(), identities: new Map() }
  readonly #feeds = new Set<string>()
  #lines = 0

  constructor(platform: PublishPlatform, options: ImportOptions) {
    this.#platform = platform
    this.#options = options
  }

  async take(window: readonly ImportLine[]): Promise<ReportLine[]> {
    const { mail = false, dryRun = false, onJobs } = this.#options
    const files = window.filter((line) => line.status === 'source')
    const { outcomes, feeds } = await publishWindow(
      this.#platform,
      files.map((line) => line.source),
      { way: 'import', mail, dryRun, met: this.#met, regenerate: false },
      this.#lines,
    )
    this.#lines += files.length
    for (const feed of feeds) this.#feeds.add(feed)
    const jobIds = outcomes.find((outcome) => 'jobIds' in outcome && outcome.jobIds.length > 0)
    if (jobIds && 'jobIds' in jobIds) onJobs?.(jobIds.jobIds)

    const byFile = new Map(files.map((line, i) => [line, outcomes[i] as PublishOutcome]))
    return Promise.all(
      window.map(async (line) => {
        if (line.status !== 'source') {
          return { path: line.name, outcome: line.status, code: line.code, reason: line.reason }
        }
        const outcome = byFile.get(line) as PublishOutcome
        if (outcome.status === 'refused' && !dryRun) await this.#keep(line, outcome.reason)
        return reportLine(line.name, outcome)
      }),
    )
  }

  async end(): Promise<void> {
    const jobIds = await enqueueRegenerate(this.#platform, [...this.#feeds])
    this.#options.onJobs?.(jobIds)
  }

  async #keep(line: ImportLine & { status: 'source' }, reason: string): Promise<void> {
    if (line.source.bytes.length > sourceBytes) return
    await keepRejected(this.#platform, { path: line.name, bytes: line.source.bytes, reason })
  }
}

function reportLine(path: string, outcome: PublishOutcome): ReportLine {
  if (outcome.status === 'ignored' || outcome.status === 'refused') {
    return { path, outcome: outcome.status, code: outcome.code, reason: outcome.reason }
  }
  const { status, post, code, reason } = outcome
  if (status !== 'hidden') return { path, outcome: status, id: post.id }
  return { path, outcome: status, id: post.id, code: code ?? 'post.hidden', reason: reason ?? '' }
}
