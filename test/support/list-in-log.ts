import { enterLog, noteListed } from '../../functions/posts/log.ts'

/** Lists posts that were put by hand, and notes it on them. Gives back their numbers. */
export async function listInLog(
  ...[{ records }, ...of]: Parameters<typeof enterLog>
): Promise<Map<string, number>> {
  const entries = await enterLog({ records }, ...of)
  await Promise.all([...entries.values()].map((entry) => noteListed({ records }, entry)))
  return new Map([...entries].map(([postId, entry]) => [postId, entry.n]))
}
