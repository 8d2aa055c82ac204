import { edgeHeaders } from '../functions/aws/sender.ts'
import { twinned } from '../functions/feeds/compressed-twin.ts'
import { feedDocuments } from '../functions/keys.ts'

const patternOf = (names: readonly string[]) =>
  names.map((name) => name.replace('.', '\\.')).join('|')

/**
 * The CloudFront Function in front of the bucket. S3 behind an origin access control knows no index
 * documents, so `…/` becomes `…/index.html`; a person's browser that opens a feed is led to the
 * feed's page, which feed readers never ask for with `Sec-Fetch-Dest: document`; and whoever takes
 * gzip gets the stored twin of a document that CloudFront would not compress.
 *
 * JavaScript as text: CloudFront runs it as it stands (runtime 2.0, 10 kB at most).
 */
export const edgeFunctionCode = `
function handler(event) {
  var request = event.request
  var uri = request.uri
  var destination = request.headers['sec-fetch-dest']
  if (destination && destination.value === 'document' && !('raw' in request.querystring)) {
    var feed = /^\\/feeds\\/(?:([^/]+)\\/)?(?:${patternOf(feedDocuments)})$/.exec(uri)
    if (feed) {
      return {
        statusCode: 302,
        statusDescription: 'Found',
        headers: {
          location: { value: feed[1] ? '/categories/' + feed[1] + '/' : '/feeds/' },
          'cache-control': { value: 'no-store' }
        }
      }
    }
  }
  if (uri.slice(-1) === '/') request.uri = uri + 'index.html'
  var accepts = request.headers['accept-encoding']
  if (/^\\/feeds\\/(?:[^/]+\\/)*(?:${patternOf(twinned)})$/.test(uri) &&
      accepts && /(?:^|[,\\s])gzip\\s*(?:;\\s*q=(?:0?\\.0*[1-9]|1)[\\d.]*\\s*)?(?:,|$)/i.test(accepts.value)) {
    request.uri = uri + '.gz'
  }
  return request
}
`

/**
 * The function in front of the web function: says who sent a request, since a function URL keeps
 * only what the sender wrote of `X-Forwarded-For`. What comes from outside under the header's name is
 * replaced.
 */
export const senderFunctionCode = `
function handler(event) {
  var headers = event.request.headers
  var before = headers['x-forwarded-for']
  var ways = !before ? [] : (before.multiValue || [before]).map(function (one) { return one.value })
  var said = ways.concat(event.viewer.ip).join(', ')
  headers['${edgeHeaders.sender}'] = { value: said.slice(-1000) }
  return event.request
}
`
