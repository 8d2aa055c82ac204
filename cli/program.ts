import { Command } from 'commander'
import { commandList } from './command-list.ts'
import { defaultConfig, defaultData } from './options.ts'

const exitCodesHelp = `
Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 done but some items were
refused · 4 not allowed · 5 not found · 6 changed meanwhile · 7 stopped by a safety rule ·
8 try again later · 130 interrupted
What stops with 7 would overwrite or mix up data: no option overrules it, and the message says what
to do instead.`

/**
 * The tree of commands. Only the commands named in `full` are loaded and have their options; the
 * others are there for the list and for suggestions.
 */
export async function program(full: readonly string[], version: string): Promise<Command> {
  const root = new Command('broadsheet')
    .description(
      'Feeds and a newsletter from the same posts: a post goes in, its categories’ feeds come out, readers get one digest of what they chose.',
    )
    .version(version, '--version', 'show the version')
    .option('--config <file>', 'the configuration', defaultConfig)
    .option('--data <dir>', 'the data folder (default: "data", or BROADSHEET_DATA)')
    .option('--url <url>', 'drive the service at this address (BROADSHEET_URL)')
    .option('--key <key>', 'with this API key (BROADSHEET_KEY)')
    .option(
      '--stack <name>',
      'work on this stack on AWS, with your own credentials (BROADSHEET_STACK)',
    )
    .option('--json', 'answer in JSON on stdout')
    .helpOption('--help', 'show this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .exitOverride()
    .addHelpText('after', exitCodesHelp)
  // Not as the option's default: the help says the same whatever is set.
  root.setOptionValueWithSource('data', process.env.BROADSHEET_DATA || defaultData, 'default')
  for (const { name, summary, load } of commandList) {
    const command = root.command(name).description(capital(summary)).summary(summary)
    if (full.includes(name)) {
      ;(await load()).define(command)
      nameUnknownSubcommands(command)
    }
  }
  return root
}

/** A command that does something by itself, too, would only count the words of a mistyped subcommand. */
function nameUnknownSubcommands(command: Command): void {
  if (command.commands.length === 0 || command.registeredArguments.length > 0) return
  command.allowExcessArguments().hook('preAction', (self, acting) => {
    if (acting !== self || self.args.length === 0)
      return // Commander's own refusal with its suggestion, which its types leave out.
    ;(self as Command & { unknownCommand(): never }).unknownCommand()
  })
}

const takesValue = new Set(['--config', '--data', '--url', '--key', '--stack'])

/** The first word that is no option and no value of one: the command. */
export function commandOf(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? ''
    if (takesValue.has(word)) i++
    else if (!word.startsWith('-')) return word
  }
  return undefined
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
