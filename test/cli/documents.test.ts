import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { commandList } from '../../cli/command-list.ts'
import { program } from '../../cli/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'docs/decisions', 'examples/jekyll-blog', 'bench'].flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder))
          .filter((name) => name.endsWith('.md'))
          .map((name) => `${folder}/${name}`)
      : [],
  ),
]

describe('README.md', () => {
  it('is read in three minutes and has its first command by line 20', () => {
    const text = read('README.md')
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(700)
    expect(text.split('\n').slice(0, 20)).toContain('npm ci && npm start')
    expect(text).toMatch(/!\[[^\]]+\]\(docs\/images\/[\w-]+\.png\)/)
    expect(text).toContain('npm ci && npm test')
  })
})

describe.each(documents)('%s', (file) => {
  it('links to nothing that is not there', () => {
    const links = [...read(file).matchAll(/\]\((?!https?:|\/|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
    const missing = links
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(resolve(root, dirname(file), target)))
    expect(missing).toEqual([])
  })

  it('shows no command or option that does not exist', async () => {
    const names = commandList.map(({ name }) => name)
    const tree = await program(names, '0')
    const lines = [...read(file).matchAll(/(?:npx )?\bbroadsheet ((?:[a-z-]+ )*[a-z-]+[^\n`|#]*)/g)]
    const unknown: string[] = []
    for (const [whole, line = ''] of lines) {
      // Sentences about the program start like a command; a command's first word is one of ours.
      const words = line.trim().split(/\s+/)
      if (file === 'docs/cli.md' || !names.includes(words[0] ?? '')) continue
      let command = tree
      for (const word of words) {
        const next = command.commands.find((child) => child.name() === word)
        if (!next) break
        command = next
      }
      const known = ['--help', ...[...command.options, ...tree.options].map(({ long }) => long)]
      const options = words
        .filter((word) => word.startsWith('--'))
        .map((word) => word.replace(/[=).,:;].*$/, ''))
      for (const option of options) if (!known.includes(option)) unknown.push(`${option}: ${whole}`)
    }
    expect(unknown).toEqual([])
  })
})

describe('the functions that CONTRIBUTING.md walks through', () => {
  it('are where it says', () => {
    const text = read('CONTRIBUTING.md')
    const [, posts = '', digests = ''] = text.split(/^## The way of .*$/m)
    const walk = (posts + digests).split('## Recipes')[0] ?? ''
    const files = [...walk.matchAll(/`([\w-]+\/[\w/-]+\.tsx?)`/g)].map(([, path = '']) => path)
    expect(files.length).toBeGreaterThan(10)
    const folders = ['', 'functions', 'functions/digests'].map((folder) => join(root, folder))
    const missing = files.filter(
      (path) => !folders.some((folder) => existsSync(join(folder, path))),
    )
    expect(missing).toEqual([])
  })
})
