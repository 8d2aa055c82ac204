import type { Mailer } from '../platform.ts'

/** What SES's events can prove; apart from the mailer, so that asking it loads no client. */
export const sesEvidence: Pick<Mailer, 'name' | 'evidenceDelaySeconds' | 'hasFinalEvidence'> = {
  name: 'ses',
  // Events of a mail may come so late; after it, silence is `unknown` for ever (docs/protocol.md V1).
  evidenceDelaySeconds: 600,
  // An event can be lost or switched off, so silence never proves anything.
  hasFinalEvidence: false,
}
