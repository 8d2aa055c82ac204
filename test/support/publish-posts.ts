import { publishWindow } from '../../functions/posts/publish.ts'
import type { PublishOutcome } from '../../functions/posts/publish-outcome.ts'

/** Publishes a batch as one window; outcomes in the order of its sources. */
export async function publishPosts(
  ...of: Parameters<typeof publishWindow>
): Promise<PublishOutcome[]> {
  return (await publishWindow(...of)).outcomes
}
