import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { CliError, exitCodes, exitOf } from './exit.ts'
import { commandOf, program } from './program.ts'

/** The entry of the command line. Whatever fails ends here, as a message and an exit code. */
async function main(args: readonly string[]): Promise<number> {
  const wanted = commandOf(args)
  const root = await program(wanted ? [wanted] : [], version())
  if (args.length === 0) {
    root.outputHelp()
    return exitCodes.done
  }
  await root.parseAsync([...args], { from: 'user' })
  return Number(process.exitCode ?? exitCodes.done)
}

function version(): string {
  const root = process.env.BROADSHEET_ROOT ?? process.cwd()
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has written its message; help and version are no errors.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  }
  if (error instanceof CliError) {
    process.stderr.write(`${error.message}\n`)
    return error.exit
  }
  if (isServiceError(error)) {
    process.stderr.write(`${error.message}\n`)
    // The others have codes for what a service answers, and this one never came about.
    return exitOf(error.status, error.code) === exitCodes.usage ? exitCodes.usage : exitCodes.failed
  }
  const detail = error instanceof Error ? error.message : String(error)
  process.stderr.write(`Something failed: ${detail}\n`)
  if (process.env.BROADSHEET_DEBUG && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`)
  }
  return exitCodes.failed
}

// By its name: importing the class would load the service for `--help`.
function isServiceError(error: unknown): error is Error & { code: string; status: number } {
  return error instanceof Error && error.name === 'ServiceError'
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.done)
  throw error
})

// Nothing waits for a tidy end: whatever was answered is stored, and the rest can be repeated.
process.once('SIGINT', () => process.exit(exitCodes.interrupted))

const [first, ...rest] = process.argv.slice(2)
process.exitCode = await main(first === 'help' ? [...rest, '--help'] : process.argv.slice(2)).catch(
  report,
)
