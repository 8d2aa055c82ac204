export interface KeptAnswerOptions<T> {
  /** How long an answer is good for. */
  milliseconds: number
  /** Whether an answer holds for ever. @default never */
  isFinal?: (answer: T) => boolean
  now: () => Date
}

/**
 * Keeps what `ask` answered for a while. Who comes meanwhile shares the question: SES answers some of
 * them once a second an account, and mails of a batch leave side by side. A failure is kept by nobody.
 */
export function keptAnswer<T>(
  ask: () => Promise<T>,
  { milliseconds, isFinal = () => false, now }: KeptAnswerOptions<T>,
): () => Promise<T> {
  let kept: { answer: T; at: number } | undefined
  let asking: Promise<T> | undefined

  async function askAgain(at: number): Promise<T> {
    const answer = await ask()
    kept = { answer, at }
    return answer
  }

  return async () => {
    const at = now().getTime()
    // A clock that was set back makes an answer no fresher.
    if (kept && (isFinal(kept.answer) || Math.abs(at - kept.at) < milliseconds)) return kept.answer
    asking ??= askAgain(at).finally(() => {
      asking = undefined
    })
    return asking
  }
}
