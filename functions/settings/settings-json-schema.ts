import { toJsonSchema } from '@valibot/to-json-schema'
import { settingsSchema } from './settings-schema.ts'

/** `broadsheet.schema.json`: what editors check and complete `broadsheet.yaml` with (draft 7). */
export function settingsJsonSchema(): object {
  const { $schema, ...schema } = toJsonSchema(settingsSchema, {
    typeMode: 'input',
    // Checks by code (a time zone, a host) have no counterpart; the service still makes them.
    errorMode: 'ignore',
  })
  return {
    $schema,
    title: 'broadsheet.yaml',
    description: 'The configuration of a Broadsheet service. Every key is optional.',
    ...schema,
  }
}
