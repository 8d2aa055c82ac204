import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { coldImport, sizeOfBundle } from '../bundles.ts'
import { type Figure, median, type Part } from '../figure.ts'

const rounds = 9

/** What the functions on AWS load before they answer their first event. */
export const bundlesPart: Part = async () => {
  // By its place in the project: this file runs out of a bundle of its own.
  const tools = pathToFileURL(resolve(process.env.BROADSHEET_ROOT ?? '.', 'bin/bundle.js')).href
  const { buildDoorway, doorwayNames } = (await import(
    tools
  )) as typeof import('../../bin/bundle.js')
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bench-'))
  const figures: Figure[] = []
  for (const name of doorwayNames) {
    const place = join(folder, name)
    const { ownAtStart, sdkAtStart, own } = sizeOfBundle(buildDoorway(name, place))
    const times: number[] = []
    for (let i = 0; i < rounds; i++) times.push(await coldImport(place))
    figures.push(
      {
        name: `\`${name}\` at start, without the SDK`,
        value: ownAtStart,
        unit: 'kB',
        baseline: { name: 'with what it loads when first needed', value: own },
        ratio: ownAtStart / own,
        aim: '≤ 400 kB',
      },
      { name: `\`${name}\`: of the SDK at start`, value: sdkAtStart, unit: 'kB' },
      {
        name: `\`${name}\`: cold import`,
        value: median(times),
        unit: 'ms',
        aim: '≤ 250 ms',
      },
    )
  }
  rmSync(folder, { recursive: true, force: true })
  return figures
}
