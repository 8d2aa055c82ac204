import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { errorCodes } from '../functions/error-codes.ts'

const functions = join(import.meta.dirname, '../functions')

/** Whether a source has the code: whole, or as a prefix that is completed by a word of the same file. */
function names(source: string, code: string): boolean {
  if (source.includes(`'${code}'`)) return true
  const [prefix, ...rest] = code.split('.')
  return source.includes(`\`${prefix}.\${`) && source.includes(`'${rest.join('.')}'`)
}

// The other direction is the compiler's: `ServiceError` takes no code that is not in the table.
it('every code that the documentation explains is one that the sources refuse with', () => {
  const sources = globSync('**/*.ts', { cwd: functions })
    .filter((file) => file !== 'error-codes.ts')
    .map((file) => readFileSync(join(functions, file), 'utf8'))
  const unused = Object.keys(errorCodes).filter(
    (code) => !sources.some((source) => names(source, code)),
  )
  expect(unused).toEqual([])
})
