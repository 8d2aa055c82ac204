import type { Child } from 'hono/jsx'
import type { FieldError } from '../../functions/errors.ts'
import type { Messages } from '../locales/messages.ts'
import { markedText } from './marked-text.tsx'

/** What is wrong with a field, beside it; nothing when it is right. */
export function Fault(props: { errors: readonly FieldError[]; path: string; m: Messages }) {
  const found = props.errors.find((error) => error.path === props.path)
  return (
    found && (
      <p class="fault" id={`fault-${props.path}`}>
        {faultText(found, props.m)}
      </p>
    )
  )
}

/** In the reader's language where it has a sentence for the field, else as the service says it. */
function faultText({ path, message }: FieldError, m: Messages) {
  return markedText(m.subscribe.faults[path] ?? message)
}

/** The attributes that tie a control to its hint and its fault. */
export function describedBy(
  errors: readonly FieldError[],
  path: string,
  hint?: string,
): Record<string, string> {
  const isWrong = errors.some((error) => error.path === path)
  const ids = [hint, isWrong && `fault-${path}`].filter(Boolean).join(' ')
  return {
    ...(ids ? { 'aria-describedby': ids } : {}),
    ...(isWrong ? { 'aria-invalid': 'true' } : {}),
  }
}

/** Above a form that was refused: every fault, leading to its field. Takes the focus. */
export function ErrorSummary({ errors, m }: { errors: readonly FieldError[]; m: Messages }) {
  if (errors.length === 0) return null
  return (
    <div class="errors" role="alert" tabindex={-1} autofocus>
      <h2>{m.subscribe.errorTitle}</h2>
      <ul class="plain">
        {errors.map((error) => (
          <li>
            {error.path ? (
              <a href={`#field-${error.path}`}>{faultText(error, m)}</a>
            ) : (
              faultText(error, m)
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A label, its control, a hint and what is wrong. */
export function Field(props: {
  path: string
  label: string
  hint?: string
  errors: readonly FieldError[]
  m: Messages
  children: Child
}) {
  const { path, label, hint, errors, m, children } = props
  return (
    <div class="field">
      <label for={`field-${path}`}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`hint-${path}`}>
          {hint}
        </p>
      )}
      <Fault errors={errors} path={path} m={m} />
    </div>
  )
}
