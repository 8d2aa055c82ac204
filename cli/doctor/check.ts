/** What one look found. `fix` says what to do; a `fault` keeps something from working. */
export interface Check {
  name: string
  state: 'ok' | 'warning' | 'fault'
  message: string
  fix?: string
}

export function ok(name: string, message: string): Check {
  return { name, state: 'ok', message }
}

export function warning(name: string, message: string, fix: string): Check {
  return { name, state: 'warning', message, fix }
}

export function fault(name: string, message: string, fix: string): Check {
  return { name, state: 'fault', message, fix }
}
