import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandList } from '../../cli/command-list.ts'
import { commandOf, program } from '../../cli/program.ts'

const names = commandList.map(({ name }) => name)
const root = await program(names, '1.2.3')

/** Every command and subcommand, each with the words that lead to it. */
function commandsBelow(command: Command, words: readonly string[] = []): [string[], Command][] {
  return command.commands.flatMap((child) => {
    const here = [...words, child.name()]
    return [[here, child] as [string[], Command], ...commandsBelow(child, here)]
  })
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    getOutHelpWidth: () => 100,
  })
  command.outputHelp()
  return text
}

const all = commandsBelow(root)

describe('every command', () => {
  it('is one of those that the documentation promises', () => {
    expect(all.map(([words]) => words.join(' ')).sort()).toMatchInlineSnapshot(`
      [
        "backup",
        "categories",
        "digest",
        "digest preview",
        "doctor",
        "feeds",
        "feeds rebuild",
        "import",
        "keys",
        "keys create",
        "keys revoke",
        "keys rotate-links",
        "posts",
        "publish",
        "restore",
        "runs",
        "runs approve",
        "runs due",
        "runs pause",
        "runs resume",
        "runs retry",
        "runs show",
        "smoke",
        "start",
        "subscribers",
        "subscribers erase",
        "subscribers export",
        "subscribers import",
        "subscribers show",
        "tick",
        "withdraw",
      ]
    `)
  })

  it.each(all.map(([words, command]) => [words.join(' '), command] as const))(
    '%s shows an example and the global options in its help',
    (words, command) => {
      const help = helpOf(command)
      expect(help).toMatch(/Example:\n {2}/)
      expect(help).toContain(`broadsheet ${words}`)
      expect(help).toContain('--json')
      expect(help).toContain('--data <dir>')
    },
  )

  it.each(all.map(([words]) => words))(
    '%s … refuses a flag that it does not know',
    async (...words) => {
      const tree = await program(names, '1.2.3')
      let said = ''
      for (const [, command] of [[[], tree] as const, ...commandsBelow(tree)]) {
        command.configureOutput({
          writeErr: (text) => {
            said += text
          },
        })
      }
      await expect(
        tree.parseAsync([...words, '--jsn', 'x', 'y'], { from: 'user' }),
      ).rejects.toMatchObject({ code: 'commander.unknownOption' })
      expect(said).toContain('Did you mean --json?')
    },
  )
})

describe('docs/cli.md', () => {
  // `npx vitest run test/cli/program.test.ts -u` writes it again after a change.
  it('is what the commands say of themselves', async () => {
    const parts = [
      '# Commands',
      '',
      'What `npx broadsheet COMMAND --help` says, all on one page. Every command works beside a running',
      'server: through it when one runs on the data folder, else on the folder itself; with `--url` and `--key`',
      'it drives a service anywhere, and with `--stack` one on AWS by your own AWS credentials. Results go to',
      'stdout, everything else to stderr. With `--json` the result is one JSON document, or one a line where it',
      'is a list. Nothing ever asks a question.',
      '',
      '```',
      helpOf(root).trimEnd(),
      '```',
    ]
    for (const [words, command] of all) {
      const help = helpOf(command).replace(/\nGlobal Options:\n(?: {2}.*\n)+/, '')
      parts.push('', `## \`${words.join(' ')}\``, '', '```', help.trimEnd(), '```')
    }
    await expect(`${parts.join('\n')}\n`).toMatchFileSnapshot('../../docs/cli.md')
  })
})

describe('commandOf', () => {
  it.each([
    ['posts --category x', 'posts'],
    ['--data posts runs', 'runs'],
    ['--json --url=http://a keys create', 'keys'],
    ['--help', undefined],
  ])('finds the command of `%s`', (line, command) => {
    expect(commandOf(line.split(' '))).toBe(command)
  })
})
