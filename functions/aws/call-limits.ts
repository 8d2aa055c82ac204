/*
 * How long a call of the SDK may take. Without `throwOnRequestTimeout` a limit is only written to the
 * log; and it ends with the head of the answer, so a silent body needs one of its own. A function is
 * stopped after a minute, `web` after half of one.
 */

/** Of S3, DynamoDB and SQS: with all attempts at most eighteen seconds. */
export const dataCalls = {
  maxAttempts: 3,
  requestHandler: limits({ connecting: 2000, answering: 5000 }),
} as const

/** Of SES: one attempt, and an end under half a lease, for a silent repetition could mail twice. */
export const mailCalls = {
  maxAttempts: 1,
  requestHandler: limits({ connecting: 5000, answering: 20_000 }),
} as const

/**
 * What is only asked of SES, at most once a second an account: workers that start together are told
 * to come again, and the first mail of each waits for the answer. Half a minute at most.
 */
export const mailQuestions = {
  maxAttempts: 5,
  requestHandler: limits({ connecting: 2000, answering: 3000 }),
} as const

/** Milliseconds until the line stands, and until the answer's head is there or its body goes on. */
function limits({ connecting, answering }: { connecting: number; answering: number }) {
  return {
    connectionTimeout: connecting,
    requestTimeout: answering,
    throwOnRequestTimeout: true,
    socketTimeout: answering,
  }
}
