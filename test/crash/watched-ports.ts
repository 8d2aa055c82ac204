import type { MachineParts } from '../../functions/local/machine.ts'
import type { SqliteJobQueue } from '../../functions/local/sqlite-job-queue.ts'
import type { SqliteRecordStore } from '../../functions/local/sqlite-record-store.ts'
import type { Mailer, ObjectStore } from '../../functions/platform.ts'
import { familyOf, prefixOf } from './steps.ts'

/** Told of each persistent step right after it, and before whoever took it hears of it. */
export type OnStep = (step: string) => void

/** The ports of one machine, every persistent step of which is told. */
export function watchedPorts(parts: MachineParts, onStep: OnStep): MachineParts {
  return {
    ...parts,
    objects: watchedObjects(parts.objects, onStep),
    records: watchedRecords(parts.records, onStep),
    jobs: watchedJobs(parts.jobs, onStep),
    mailerAt: (now) => watchedMailer(parts.mailerAt(now), onStep),
  }
}

function watchedRecords(inner: SqliteRecordStore, onStep: OnStep): SqliteRecordStore {
  return {
    ...inner,
    at: (now) => watchedRecords(inner.at(now), onStep),
    async put(record, condition) {
      const outcome = await inner.put(record, condition)
      if (outcome.status === 'stored') onStep(`put ${familyOf(record)}`)
      return outcome
    },
    async putMany(records) {
      await inner.putMany(records)
      for (const name of new Set(records.map(familyOf))) onStep(`put ${name}`)
    },
    async delete(key, condition) {
      const outcome = await inner.delete(key, condition)
      if (outcome.status === 'deleted') onStep(`delete ${familyOf(key)}`)
      return outcome
    },
    async add(key, amount, options) {
      const sum = await inner.add(key, amount, options)
      onStep(`add ${familyOf(key)}`)
      return sum
    },
  }
}

function watchedObjects(inner: ObjectStore, onStep: OnStep): ObjectStore {
  return {
    ...inner,
    async put(key, body, options) {
      const outcome = await inner.put(key, body, options)
      if (outcome.status === 'stored') onStep(`put ${prefixOf(key)}`)
      return outcome
    },
    async delete(key) {
      await inner.delete(key)
      onStep(`delete ${prefixOf(key)}`)
    },
  }
}

function watchedJobs(inner: SqliteJobQueue, onStep: OnStep): SqliteJobQueue {
  return {
    ...inner,
    at: (now) => watchedJobs(inner.at(now), onStep),
    async enqueue(jobs, options) {
      const ids = await inner.enqueue(jobs, options)
      for (const kind of new Set(jobs.map((job) => job.kind))) onStep(`enqueue ${kind}`)
      return ids
    },
    async receive(lane, options) {
      const received = await inner.receive(lane, options)
      if (received.length > 0) onStep(`receive ${lane}`)
      return received
    },
    async take(ids, options) {
      const taken = await inner.take(ids, options)
      if (taken.length > 0) onStep('take job')
      return taken
    },
    async complete(receipt) {
      await inner.complete(receipt)
      onStep('complete job')
    },
    async release(receipt, options) {
      await inner.release(receipt, options)
      onStep('release job')
    },
  }
}

function watchedMailer(inner: Mailer, onStep: OnStep): Mailer {
  return {
    ...inner,
    async send(message, until, leave) {
      const outcome = await inner.send(message, until, leave)
      if (outcome.status === 'sent') onStep(`send ${message.kind}`)
      return outcome
    },
  }
}
