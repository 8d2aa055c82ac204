import { AsyncLocalStorage } from 'node:async_hooks'

/** Who calls AWS, where one process plays all functions: a doorway's name, or the test itself. */
const caller = new AsyncLocalStorage<string>()

/** Does some work, whose calls of AWS are signed with the access key of this name. */
export function asCaller<T>(name: string, work: () => T): T {
  return caller.run(name, work)
}

interface Middleware {
  add(
    middleware: (next: (args: never) => unknown) => (args: never) => unknown,
    options: { step: 'deserialize' },
  ): void
}

/**
 * Has a client sign as whoever calls; the credentials themselves would be remembered. No test server
 * looks at the signature.
 */
export function signAsCaller({ middlewareStack }: { middlewareStack: unknown }): void {
  ;(middlewareStack as Middleware).add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string> } }
      const name = caller.getStore()
      const signed = request.headers.authorization
      if (name && signed) {
        request.headers.authorization = signed.replace(/Credential=[^/]+/, `Credential=${name}`)
      }
      return next(args)
    },
    { step: 'deserialize' },
  )
}
