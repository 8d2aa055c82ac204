#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bundle.js'
import { onPinnedNode } from './pinned-node.js'

await onPinnedNode(async () => {
  process.env.BROADSHEET_ROOT = root
  const packed = join(root, 'dist/broadsheet.js')
  // A checkout is recognised by its sources: they always win over a bundle that `npm pack` left.
  if (existsSync(join(root, 'cli/broadsheet.ts'))) {
    const { bundle } = await import('./bundle.js')
    await import(await bundle('cli/broadsheet.ts'))
  } else {
    await import(packed)
  }
})
