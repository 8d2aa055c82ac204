import type { Mailer, Platform } from '../../functions/platform.ts'

/**
 * The platform of a process that dies at its n-th change of the world: before it takes effect where n
 * is even, after it where n is odd. From then on everything it calls throws. 0 lives for ever.
 */
export function mortal(
  platform: Platform,
  deathAt: number,
): { platform: Platform; isDead(): boolean } {
  let isDead = false
  let changes = 0

  const check = () => {
    if (isDead) throw new Error('this process is dead')
  }
  const reads =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      check()
      const result = await call(...args)
      check()
      return result
    }
  const writes =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      check()
      const isLast = deathAt > 0 && ++changes === deathAt
      if (isLast && deathAt % 2 === 0) isDead = true
      check()
      const result = await call(...args)
      if (isLast) isDead = true
      check()
      return result
    }

  const { records, objects, jobs, mailer } = platform
  const mortalMailer: Mailer = {
    ...mailer,
    send: writes(mailer.send),
    quota: reads(mailer.quota),
    evidence: reads(mailer.evidence),
  }
  return {
    isDead: () => isDead,
    platform: {
      ...platform,
      mailer: mortalMailer,
      records: {
        get: reads(records.get) as typeof records.get,
        getMany: reads(records.getMany) as typeof records.getMany,
        query: reads(records.query) as typeof records.query,
        put: writes(records.put) as typeof records.put,
        putMany: writes(records.putMany),
        delete: writes(records.delete),
        add: writes(records.add),
      },
      objects: {
        get: reads(objects.get),
        list: reads(objects.list),
        put: writes(objects.put),
        delete: writes(objects.delete),
      },
      jobs: {
        ...jobs,
        enqueue: writes(jobs.enqueue),
        receive: reads(jobs.receive),
        complete: reads(jobs.complete),
        release: reads(jobs.release),
      },
    },
  }
}
