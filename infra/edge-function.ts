/**
 * The CloudFront Function in front of the bucket. S3 behind an origin access control knows no index
 * documents, so `…/` becomes `…/index.html`; and a person's browser that opens a feed is led to the
 * feed's page, which feed readers never ask for with `Sec-Fetch-Dest: document`.
 *
 * JavaScript as text: CloudFront runs it as it stands (runtime 2.0, 10 kB at most).
 */
export const edgeFunctionCode = `
function handler(event) {
  var request = event.request
  var uri = request.uri
  var destination = request.headers['sec-fetch-dest']
  if (destination && destination.value === 'document' && !('raw' in request.querystring)) {
    var feed = /^\\/feeds\\/(?:([^/]+)\\/)?(?:rss\\.xml|atom\\.xml|feed\\.json)$/.exec(uri)
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
  return request
}
`
