import * as v from 'valibot'

/** What an event means for us. */
export interface SesEvent {
  kind: 'send' | 'hard-bounce' | 'soft-bounce' | 'complaint' | 'reject' | 'delay' | 'delivery'
  /** From the tag that our mailer gave; absent on mails that are not ours. */
  deliveryId?: string
}

/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html */
const schema = v.object({
  eventType: v.picklist(['Send', 'Bounce', 'Complaint', 'Reject', 'DeliveryDelay', 'Delivery']),
  mail: v.object({
    messageId: v.string(),
    tags: v.optional(v.record(v.string(), v.array(v.string()))),
  }),
  bounce: v.optional(v.object({ bounceType: v.string() })),
})

/** The event in a message's body, or `undefined` when it is none. */
export function readSesEvent(body: string): SesEvent | undefined {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return undefined
  }
  const result = v.safeParse(schema, json)
  if (!result.success) return undefined
  const { eventType, mail, bounce } = result.output
  const deliveryId = mail.tags?.delivery?.[0]
  return {
    kind: kindOf(eventType, bounce?.bounceType),
    ...(deliveryId === undefined ? {} : { deliveryId }),
  }
}

function kindOf(
  eventType: v.InferOutput<typeof schema>['eventType'],
  bounceType: string | undefined,
): SesEvent['kind'] {
  switch (eventType) {
    case 'Send':
      return 'send'
    case 'Bounce':
      return bounceType === 'Permanent' ? 'hard-bounce' : 'soft-bounce'
    case 'Complaint':
      return 'complaint'
    case 'Reject':
      return 'reject'
    case 'DeliveryDelay':
      return 'delay'
    case 'Delivery':
      return 'delivery'
  }
}
