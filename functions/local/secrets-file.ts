import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { ServiceError } from '../errors.ts'
import { newKey, newLinkKey, type Secrets } from '../secrets.ts'

/** `DATA/secrets.json`: readable by its user only, never part of a log or an answer. */
export interface SecretsFile {
  /** Always as the file stands: `rotateLinks` shows at once. */
  readonly secrets: Secrets
  /** The API key of the command line; absent until `keepLocalKey`. */
  readonly localKey: string | undefined
  rotateLinks(): void
  keepLocalKey(key: string): void
}

interface Content {
  subscribers: string
  links: { id: string; key: string }[]
  localKey?: string
}

/**
 * Opens the file or makes it with new keys.
 *
 * @param given `BROADSHEET_SECRET`: keys the subscribers' ids instead of a new random key. It never
 * changes, so it is kept in the file, and another one is refused once readers may have ids by it.
 * @throws ServiceError `secrets.unreadable`, `secrets.other-subscribers-key`
 */
export function openSecrets(path: string, given?: string): SecretsFile {
  if (given !== undefined && given.length < 16) {
    throw new ServiceError(500, 'secrets.weak', '`BROADSHEET_SECRET` needs 16 characters or more.')
  }
  let content = read(path)
  if (!content) {
    content = { subscribers: given ?? newKey(), links: [newLinkKey()] }
    save(path, content)
  } else if (given !== undefined && content.subscribers !== given) {
    throw new ServiceError(
      500,
      'secrets.other-subscribers-key',
      `\`BROADSHEET_SECRET\` is not the key that ${path} holds, and readers are known by that one. Leave the variable out, or start with another data folder.`,
    )
  }
  let current: Content = content

  const change = (next: Content) => {
    save(path, next)
    current = next
  }
  return {
    secrets: {
      get subscribers() {
        return current.subscribers
      },
      get links() {
        return current.links
      },
    },
    get localKey() {
      return current.localKey
    },
    rotateLinks: () => change({ ...current, links: [newLinkKey(), ...current.links] }),
    keepLocalKey: (localKey) => change({ ...current, localKey }),
  }
}

/** Writes a file with these keys and no key of the API. */
export function keepSecrets(path: string, { subscribers, links }: Secrets): void {
  save(path, { subscribers, links: [...links] })
}

function read(path: string): Content | undefined {
  let text: string
  try {
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { subscribers, links, localKey } = JSON.parse(text) as Partial<Content>
    if (typeof subscribers === 'string' && Array.isArray(links) && links.length > 0) {
      return { subscribers, links, ...(typeof localKey === 'string' ? { localKey } : {}) }
    }
  } catch {
    // Told below: a new key in its place would make every reader a stranger.
  }
  throw new ServiceError(
    500,
    'secrets.unreadable',
    `${path} cannot be read as secrets. Put back the copy of your last backup; do not delete it, as readers are known by the key in it.`,
  )
}

function save(path: string, content: Content): void {
  const temporary = join(dirname(path), `.secrets-${process.pid}-${randomBytes(6).toString('hex')}`)
  const file = fs.openSync(temporary, 'wx', 0o600)
  try {
    fs.writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
  fs.renameSync(temporary, path)
  const folder = fs.openSync(dirname(path), 'r')
  try {
    fs.fsyncSync(folder)
  } finally {
    fs.closeSync(folder)
  }
}
