import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { errorCodes } from '../../functions/site/error-codes.ts'

const functions = join(import.meta.dirname, '../../functions')
/** What only a person at the machine can meet is told on the terminal, not by the API. */
const atTheMachine = /^(settings|secrets|folder|server|smtp)\./

it('every code that the sources refuse with is explained in the documentation', () => {
  const found = new Set<string>()
  for (const file of globSync('**/*.ts', { cwd: functions })) {
    const source = readFileSync(join(functions, file), 'utf8')
    const calls = source.matchAll(/\b(?:invalid\(|new ServiceError\(\s*\d+,)\s*'([^']+)'/g)
    for (const [, code = ''] of calls) found.add(code)
  }
  expect(found.size).toBeGreaterThan(30)
  const missing = [...found].filter((code) => !(code in errorCodes) && !atTheMachine.test(code))
  expect(missing).toEqual([])
})
