import type { Command } from 'commander'
import { answerOf, type Connection, connect } from './connection.ts'
import type { GlobalOptions } from './options.ts'

/** What a command works with. */
export interface Session {
  /** The whole answer of one request as JSON. @throws CliError for what is refused */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** The bare response, for what streams. */
  connection: Connection
  isJson: boolean
}

/**
 * Gives a command its work: connects, does it, lets go of the folder whatever happens, and ends
 * with the exit code that it returns (0 when none). `makesFolder`: it may be what a data folder begins
 * with; anything else refuses one that was named and is not there, which is mistyped.
 */
export function works<Options extends object>(
  command: Command,
  work: (
    session: Session,
    options: GlobalOptions & Options,
    ...words: string[]
    // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to say and end without a return
  ) => Promise<number | undefined | void>,
  folder: { makesFolder?: boolean } = {},
): Command {
  return command.action(async (...given: unknown[]) => {
    const self = given.pop() as Command
    given.pop()
    const options = self.optsWithGlobals<GlobalOptions & Options>()
    const connection = await connect(options, folder)
    try {
      const exit = await work(
        {
          connection,
          isJson: options.json ?? false,
          call: async (method, path, body) =>
            answerOf(
              await connection.fetch(path, {
                method,
                ...(body === undefined
                  ? {}
                  : {
                      headers: { 'content-type': 'application/json' },
                      body: JSON.stringify(body),
                    }),
              }),
            ),
        },
        options,
        ...(given as string[]),
      )
      if (exit) process.exitCode = exit
    } finally {
      await connection.close()
    }
  })
}

/** All items of a paged list, page by page. */
export async function* pages<T>({ call }: Pick<Session, 'call'>, path: string): AsyncGenerator<T> {
  let cursor: string | undefined
  do {
    const url = new URL(path, 'http://localhost')
    url.searchParams.set('limit', '1000')
    if (cursor) url.searchParams.set('cursor', cursor)
    const page = await call<{ items: T[]; cursor?: string }>('GET', url.pathname + url.search)
    yield* page.items
    cursor = page.cursor
  } while (cursor)
}
