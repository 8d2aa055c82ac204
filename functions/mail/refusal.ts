/**
 * What a refusal says about the reader's address: `hard`, nobody can be reached there; `soft`, not
 * now, such as a full mailbox; `none`, the reason is the message, the sender or the service.
 */
export type AddressFault = 'hard' | 'soft' | 'none'

/**
 * Reads an enhanced status code such as `5.1.1` (RFC 3463): the class decides between never and not
 * now, the subject digit, whether the address is the reason. Gives `undefined` for what is none.
 */
export function addressFaultOf(status: string): AddressFault | undefined {
  const [, kind, subject, detail] = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(status) ?? []
  if (kind === undefined || kind === '2') return undefined
  if (subject === '1') {
    // X.1.7 and X.1.8 are about the sender's address.
    if (detail === '7' || detail === '8') return 'none'
    return kind === '5' ? 'hard' : 'soft'
  }
  if (subject !== '2') return 'none'
  // X.2.3: this message is too long for the mailbox; another one may fit.
  if (detail === '3') return 'none'
  // A disabled mailbox stays so; a full one (X.2.2) and whatever else ails it may pass.
  return kind === '5' && detail === '1' ? 'hard' : 'soft'
}

/** The enhanced status code at the head of a server's answer, `550-5.1.1 No such user`. */
export function statusIn(answer: string): string | undefined {
  return /^\s*\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)/.exec(answer)?.[1]
}

/** Servers like to repeat the address that they refuse; reasons are kept and shown without it. */
export function withoutAddress(text: string, to = ''): string {
  const local = to.slice(0, Math.max(0, to.lastIndexOf('@')))
  let shown = text.replace(/\s+/g, ' ').slice(0, 400)
  if (to) shown = shown.replaceAll(to, '…')
  shown = shown.replace(/[^\s<>"'(),;:]{1,320}@[^\s<>"'(),;:]{1,320}/g, '…')
  if (local.length >= 3) shown = shown.replaceAll(local, '…')
  return shown.slice(0, 200).trim()
}
