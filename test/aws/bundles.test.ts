import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { coldImport } from '../../bench/bundles.ts'
import { doorwayNames } from '../../bin/bundle.js'
import { type DeployedBundles, deployBundles, invoke } from '../support/aws/deployed-bundles.ts'
import { functionUrlEvent, responseOf } from '../support/aws/function-url-event.ts'
import { grantsInUse } from './bundles/grants-in-use.ts'
import { bundleJourneys } from './bundles/journeys.ts'

/** Kilobytes at start that a bundle may have, without the SDK and of it. */
const mostAtStart = {
  web: { own: 400, sdk: 250 },
  jobs: { own: 100, sdk: 250 },
  clock: { own: 220, sdk: 250 },
  feedback: { own: 100, sdk: 250 },
}

let bundles: DeployedBundles

beforeAll(async () => {
  bundles = await deployBundles()
})
// Whatever else failed: who was refused what is the reason.
afterEach(() => expect(bundles.servers.gate.takeFaults()).toEqual([]))
afterAll(() => bundles.close())

describe('what is deployed', () => {
  it.each(doorwayNames)('%s: imports and has a handler; its size is printed', async (name) => {
    const deployment = await bundles.deploy()
    await expect(invoke(deployment, name, [])).resolves.toEqual({ answers: [], lines: [] })
    const times: number[] = []
    for (let i = 0; i < 3; i++) times.push(await coldImport(bundles.folderOf(name)))
    const { ownAtStart = 0, sdkAtStart = 0, own = 0 } = bundles.sizes.get(name) ?? {}
    console.log(
      `${name}: ${ownAtStart} kB at start without the SDK and ${sdkAtStart} kB of it, minified (${own} kB in all, without it); cold import ${Math.min(...times).toFixed(0)} ms`,
    )
    expect(ownAtStart).toBeGreaterThan(0)
    expect(ownAtStart).toBeLessThanOrEqual(mostAtStart[name].own)
    expect(sdkAtStart).toBeLessThanOrEqual(mostAtStart[name].sdk)
  })

  it('publishes with its first key, renders, ticks and takes feedback from its environment alone', async () => {
    const deployment = await bundles.deploy()
    const key = await deployment.makeKey()
    const publish = await functionUrlEvent('/api/v1/posts', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'a', title: 'Deployed', content: 'x' }),
    })
    const [published] = (await invoke(deployment, 'web', [publish])).answers
    expect(await responseOf(published).json()).toMatchObject({
      outcome: 'published',
      url: 'https://deployed.example/posts/deployed/',
    })
    const regenerate = { id: 'a', job: { kind: 'regenerate', feed: '*' } }
    const rendered = await invoke(deployment, 'jobs', [
      {
        Records: [
          { messageId: 'm1', body: JSON.stringify(regenerate) },
          { messageId: 'm2', body: 'poison' },
        ],
      },
    ])
    expect(rendered.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm2' }] }])
    expect(rendered.lines).toMatchObject([
      { event: 'message.failed', request: 'call-1', message: 'm2' },
    ])
    const ticked = await invoke(deployment, 'clock', [{}])
    expect(ticked.answers).toEqual([null])
    expect(ticked.lines).toMatchObject([{ event: 'tick', request: 'call-1' }])
    const junk = { Records: [{ messageId: 'm', body: '{}' }] }
    const told = await invoke(deployment, 'feedback', [junk])
    expect(told.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm' }] }])
    expect(told.lines).toMatchObject([{ event: 'message.failed', request: 'call-1' }])
    const [feed] = (await invoke(deployment, 'web', [await functionUrlEvent('/feeds/rss.xml')]))
      .answers
    expect(await responseOf(feed).text()).toContain('Deployed')
  })

  it('takes up another address of the site within a minute, in everything it says', async () => {
    const refused = await functionUrlEvent('/api/v1/posts')
    const described = await functionUrlEvent('/api/openapi.json')
    bundles.setAddresses('https://deployed.example', 'https://new.example')
    const { answers } = await invoke(await bundles.deploy(), 'web', [refused, refused, described], {
      minutes: 1,
    })
    bundles.setAddresses('https://deployed.example')
    const [before, after, description] = await Promise.all(
      answers.map((answer) => responseOf(answer).json()),
    )
    expect(before).toMatchObject({ type: expect.stringContaining('https://deployed.example/') })
    expect(after).toMatchObject({ type: expect.stringContaining('https://new.example/') })
    expect(description).toMatchObject({ servers: [{ url: 'https://new.example' }] })
  })

  it('asks nobody for an address that the deployment says', async () => {
    const variables = {
      BROADSHEET_ADDRESS: 'https://news.example',
      BROADSHEET_ADDRESS_PARAMETER: '',
      AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:1',
    }
    const event = await functionUrlEvent('/api/openapi.json')
    const deployment = await bundles.deploy()
    const [answer] = (await invoke(deployment, 'web', [event], { variables })).answers
    expect(await responseOf(answer).json()).toMatchObject({
      servers: [{ url: 'https://news.example' }],
    })
  })
})

bundleJourneys(() => bundles)
// Last, as it asks what all of these have used.
grantsInUse(() => bundles)
