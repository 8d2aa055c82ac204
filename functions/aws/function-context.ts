/**
 * What Lambda hands over beside an event, as far as it is used here; a test may leave it out.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
export interface FunctionContext {
  /** Of this call of the function; Lambda's own lines of the log name it, too. */
  awsRequestId?: string
  /** Milliseconds until the function is stopped. */
  getRemainingTimeInMillis?: () => number
}
