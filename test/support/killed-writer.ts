import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/**
 * Runs a TypeScript file in a process of its own, which prints a line for each write that was
 * answered, and kills it without warning after `lines` of them. Gives back every line it printed.
 */
export async function killedWriter(
  file: string,
  args: readonly string[],
  lines: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const printed: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line)
    if (printed.length === lines) child.kill('SIGKILL')
  }
  await ended
  if (child.signalCode !== 'SIGKILL')
    throw new Error(`the writer ended by itself (${child.exitCode})`)
  return printed
}
