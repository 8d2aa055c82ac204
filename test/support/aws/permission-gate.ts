import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Decision, decide, type Grant, type Permission, type Statement } from './iam-policy.ts'
import { type AwsRequest, type NameOf, neededPermissions } from './needed-permissions.ts'

export interface GateOptions {
  /** Where each service listens, by its name in a signature's scope: `s3`, `dynamodb`… */
  upstreams: Readonly<Record<string, string>>
  /** What each caller is allowed, by its access key's id. Others than these and `test` are refused. */
  callers: Readonly<Record<string, { role: string; statements: readonly Statement[] }>>
  nameOf: NameOf
}

/**
 * An HTTP proxy before all services that answers as IAM would: a request is let through when the
 * policies of the role whose access key signed it allow all that it needs, and else is refused in the
 * service's own words. Requests of the test itself, signed with the key `test`, pass.
 *
 * `faults` is what a test asserts to be empty: each refusal, and each request that cannot be judged.
 */
export async function permissionGate({ upstreams, callers, nameOf }: GateOptions) {
  const faults = new Set<string>()
  const used = new Map<string, Set<string>>()

  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy())
  })

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming)
    const { method = 'GET', url = '/', headers } = incoming
    const asked: AwsRequest = { method, url, headers, body }
    const [, caller = '', service = ''] =
      /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? []
    const upstream = upstreams[service]
    if (caller !== 'test') {
      try {
        const refused = judge(caller, neededPermissions(service, asked, nameOf))
        if (refused) return refuse(outgoing, service, method, refused)
      } catch (error) {
        faults.add(`${caller} asks what cannot be judged: ${(error as Error).message}`)
        outgoing.writeHead(501).end()
        return
      }
    }
    if (!upstream) throw new Error(`no server plays ${service}`)
    const answer = await ask(upstream, asked)
    // S3 tells nobody that an object is not there who may not list the bucket.
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    if (service === 's3' && answer.status === 404 && caller !== 'test') {
      const refused = judge(caller, neededPermissions('s3', listingFor(asked), nameOf))
      if (refused) return refuse(outgoing, service, method, refused)
    }
    const { 'transfer-encoding': _, ...rest } = answer.headers
    outgoing.writeHead(answer.status, rest).end(answer.body)
  }

  /** What is refused, in IAM's words. */
  function judge(caller: string, needed: readonly Permission[]): string | undefined {
    for (const permission of needed) {
      const decision = decisionFor(caller, permission)
      if (decision.isAllowed) {
        note(caller, decision.by)
        continue
      }
      const { action, resource } = permission
      faults.add(`${caller} may not ${action} on ${resource}: ${decision.because}`)
      return `User: ${callers[caller]?.role} is not authorized to perform: ${action} on resource: ${resource}`
    }
    return undefined
  }

  function decisionFor(caller: string, permission: Permission): Decision {
    const known = callers[caller]
    if (!known) throw new Error(`nobody has the access key ${caller}`)
    return decide(known.statements, known, permission)
  }

  function note(caller: string, grants: readonly Grant[]) {
    const names = used.get(caller) ?? new Set()
    for (const grant of grants) names.add(nameOfGrant(grant))
    used.set(caller, names)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The faults since it was last asked. */
    takeFaults(): string[] {
      const taken = [...faults]
      faults.clear()
      return taken
    },
    /** The grants that let a caller's requests through, as `nameOfGrant` names them. */
    usedBy: (caller: string): ReadonlySet<string> => used.get(caller) ?? new Set(),
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** What S3 asks of who may know that the object is absent: to list its bucket, by no prefix. */
function listingFor(asked: AwsRequest): AwsRequest {
  const [, bucket] = new URL(asked.url, 'http://s3').pathname.split('/')
  return { ...asked, method: 'GET', url: `/${bucket}?list-type=2` }
}

export function nameOfGrant({ action, resource }: Grant): string {
  return `${action} on ${resource}`
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function ask(upstream: string, { method, url, headers, body }: AwsRequest) {
  const { hostname, port } = new URL(upstream)
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>(
    (resolve, reject) => {
      const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
        bytesOf(answer).then(
          (read) =>
            resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: read }),
          reject,
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    },
  )
}

/** A refusal as the service writes it; to `HEAD` S3 gives the status alone. */
function refuse(outgoing: ServerResponse, service: string, method: string, words: string): void {
  const message = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const json = (type: string) => JSON.stringify({ __type: type, Message: words, message: words })
  switch (service) {
    case 's3':
      outgoing.writeHead(403, { 'content-type': 'application/xml' })
      outgoing.end(
        method === 'HEAD'
          ? undefined
          : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`,
      )
      return
    case 'ses':
      outgoing
        .writeHead(403, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
        )
      return
    case 'sqs':
      outgoing
        .writeHead(403, {
          'content-type': 'application/x-amz-json-1.0',
          'x-amzn-query-error': 'AccessDenied;Sender',
        })
        .end(json('com.amazon.coral.service#AccessDeniedException'))
      return
    default:
      outgoing
        .writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
        .end(json('com.amazon.coral.service#AccessDeniedException'))
  }
}
