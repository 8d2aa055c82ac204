import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { broadsheet, scratchFolder } from './broadsheet-process.ts'

it('a letter is published for later, read, tried on one address and approved by what each command names', async () => {
  const cwd = scratchFolder()
  writeFileSync(join(cwd, 'broadsheet.yaml'), 'mail: {approval: 1d}\n')
  const head = '---\ntitle: Dear readers\nmail: letter\nmail_at: 2099-03-06 08:00\n---\n'
  writeFileSync(join(cwd, 'letter.md'), `${head}All of it.`)
  const run = async (line: string) => {
    const { code, stdout, stderr } = await broadsheet(line.split(' '), { cwd })
    expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' })
    return stdout
  }
  const published = await run('publish letter.md')
  expect(published).toContain(
    'as a letter, at 2099-03-06T08:00:00Z, if it is approved until 2099-03-06T08:00:00Z',
  )
  const next = /next +broadsheet (runs approve letter_(\w+))/.exec(published)
  expect(await run('runs')).toContain('Waits for approval until 2099-03-06T08:00:00Z.')
  const shown = await run(`runs show letter_${next?.[2]}`)
  expect(shown).toContain(`broadsheet ${next?.[1]}`)
  const read = /broadsheet (digest preview --post \w+)/.exec(shown)?.[1] ?? ''
  expect(await run(read)).toContain('All of it.')
  await run(`${read} --to me@example.org`)
  expect(await run(next?.[1] ?? '')).toContain('Waits for its time.')
}, 120_000)
