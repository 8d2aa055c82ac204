/** The configuration that is read when none is named. */
export const defaultConfig = 'broadsheet.yaml'
