#!/usr/bin/env node
// Runs one TypeScript file of this repository the way everything here runs: bundled, on the pinned Node.
import { bundle, root } from './bundle.js'
import { onPinnedNode } from './pinned-node.js'

await onPinnedNode(async () => {
  process.env.BROADSHEET_ROOT = root
  const [entry, ...rest] = process.argv.slice(2)
  if (!entry) {
    console.error('usage: node bin/run.js FILE.ts [ARGUMENT…]')
    process.exit(2)
  }
  process.argv.splice(1, process.argv.length - 1, entry, ...rest)
  await import(await bundle(entry))
})
