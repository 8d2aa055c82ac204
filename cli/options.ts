/** The configuration that is read when none is named. */
export const defaultConfig = 'broadsheet.yaml'

/** The data folder where none is named. */
export const defaultData = 'data'

/** The options that every command has, before or after its name. */
export interface GlobalOptions {
  config: string
  data: string
  url?: string
  key?: string
  json?: boolean
  stack?: string
}
