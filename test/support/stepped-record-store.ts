import { createHash } from 'node:crypto'
import type {
  NewRecord,
  RecordKey,
  RecordPage,
  RecordStore,
  StoredRecord,
} from '../../functions/platform.ts'

/**
 * Record stores for tests that search interleavings: a model of the port that can be copied and
 * compared, and a decorator that stops before every operation until a scheduler lets it go on.
 */

/** The port in a `Map`: what thousands of short runs need. Expiry and the index are left out. */
export function modelRecordStore(): RecordStore & { dump(): string } {
  const items = new Map<string, { record: NewRecord; version: string }>()
  const counts = new Map<string, number>()
  const nameOf = ({ partition, sort }: RecordKey) => `${partition}\u0000${sort}`
  const copy = <T>(value: unknown) => structuredClone(value) as T

  const store: RecordStore & { dump(): string } = {
    async get<T>(key: RecordKey) {
      const item = items.get(nameOf(key))
      return item && copy<StoredRecord<T>>({ ...item.record, version: item.version })
    },
    getMany: (keys) => Promise.all(keys.map((key) => store.get(key))) as never,
    async put(record, condition) {
      const name = nameOf(record)
      const item = items.get(name)
      if (condition && 'ifAbsent' in condition && item) return { status: 'conflict' }
      if (condition && 'ifVersion' in condition && item?.version !== condition.ifVersion) {
        return { status: 'conflict' }
      }
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      const { partition, sort, value } = record
      items.set(name, { record: copy({ partition, sort, value }), version: String(count) })
      return { status: 'stored', version: String(count) }
    },
    async putMany(records) {
      for (const record of records) await store.put(record)
    },
    async delete(key, condition) {
      const name = nameOf(key)
      if (condition && items.get(name)?.version !== condition.ifVersion) {
        return { status: 'conflict' }
      }
      items.delete(name)
      return { status: 'deleted' }
    },
    async query<T>(
      partition: string,
      {
        from = '',
        to = '\uffff',
        prefix = '',
        reverse = false,
        limit = 1000,
        cursor,
      }: Parameters<RecordStore['query']>[1] = {},
    ): Promise<RecordPage<T>> {
      const found = [...items.values()]
        .filter(({ record }) => record.partition === partition)
        .filter(({ record: { sort } }) => sort >= from && sort <= to && sort.startsWith(prefix))
        .sort((a, b) => (a.record.sort < b.record.sort ? -1 : 1))
      if (reverse) found.reverse()
      const start =
        cursor === undefined ? 0 : found.findIndex(({ record }) => record.sort === cursor) + 1
      const page = found.slice(start, start + limit)
      const records = page.map(({ record, version }) =>
        copy<StoredRecord<T>>({ ...record, version }),
      )
      const last = page.at(-1)
      return start + limit < found.length && last
        ? { records, cursor: last.record.sort }
        : { records }
    },
    async add(key, amount) {
      const item = await store.get<{ count: number }>(key)
      const count = (item?.value.count ?? 0) + amount
      await store.put({ ...key, value: { ...item?.value, count } })
      return count
    },
    dump: () => JSON.stringify([...items].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
  return store
}

/** The store of one actor: every operation waits in `step` and takes effect when it returns. */
export function steppedRecordStore(
  store: RecordStore,
  step: (operation: string, run: () => Promise<unknown>) => Promise<unknown>,
): RecordStore {
  const stepped =
    <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) =>
    (...args: A) =>
      step(name, () => run(...args)) as Promise<R>
  return {
    get: stepped('get', store.get) as RecordStore['get'],
    // Many keys are many operations: others may come in between.
    getMany: ((keys) =>
      inOrder(keys, (key) => stepped('get', store.get)(key))) as RecordStore['getMany'],
    put: stepped('put', store.put) as RecordStore['put'],
    putMany: async (records) => {
      await inOrder(records, (record) => stepped('put', store.put)(record))
    },
    delete: stepped('delete', store.delete),
    query: stepped('query', store.query) as RecordStore['query'],
    add: stepped('add', store.add),
  }
}

async function inOrder<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await run(item))
  return results
}

/** A program of one actor: it works on its own view of the store and what it returns is kept. */
export type Actor = (records: RecordStore) => Promise<unknown>

export interface World {
  store: ReturnType<typeof modelRecordStore>
  /** What each actor returned; absent when it has not ended or was killed. */
  results: Map<number, unknown>
}

interface Waiting {
  run(): Promise<unknown>
  go(result: unknown): void
}

/**
 * Runs actors step by step: `choose` picks, among the choices, whose next operation takes effect
 * or which actor dies before it; a killed one starts over, as a repeat after a crash, at most `kills`
 * times in all. Every choice is made with all actors at rest.
 */
export async function runStepped(
  prepare: (store: World['store']) => Promise<void>,
  actors: readonly Actor[],
  choose: (choices: Choice[], stateOf: () => string) => Choice | undefined,
  { kills = 0 }: { kills?: number } = {},
): Promise<World & { isCut: boolean }> {
  const store = modelRecordStore()
  await prepare(store)
  const results = new Map<number, unknown>()
  const waiting: Waiting[][] = actors.map(() => [])
  const histories = actors.map(() => [] as string[])
  let killsLeft = kills
  const lives: object[] = []
  let fault: unknown

  const start = (i: number) => {
    const life = {}
    lives[i] = life
    histories[i] = []
    waiting[i] = []
    const records = steppedRecordStore(store, (_, run) => {
      if (lives[i] !== life) return new Promise(() => {})
      return new Promise((go) => waiting[i]?.push({ run, go }))
    })
    ;(actors[i] as Actor)(records).then(
      (result) => {
        if (lives[i] === life) results.set(i, result)
      },
      (error) => {
        if (lives[i] === life) fault = error
      },
    )
  }
  for (const i of actors.keys()) start(i)

  for (;;) {
    await atRest()
    if (fault) throw fault
    const open = [...actors.keys()].filter((i) => waiting[i]?.length)
    if (open.length === 0) return { store, results, isCut: false }
    const choices: Choice[] = open.flatMap((actor) => [
      { actor, kind: 'step' as const },
      ...(killsLeft > 0 ? [{ actor, kind: 'kill' as const }] : []),
    ])
    const choice = choose(
      choices,
      () => `${killsLeft} ${store.dump()} ${JSON.stringify(histories)}`,
    )
    if (!choice) return { store, results, isCut: true }
    if (choice.kind === 'kill') {
      killsLeft--
      start(choice.actor)
      continue
    }
    // What an actor does at once (`Promise.all`) takes effect in the order in which it was begun.
    const turn = waiting[choice.actor]?.shift() as Waiting
    const result = await turn.run()
    histories[choice.actor]?.push(JSON.stringify(result) ?? '')
    turn.go(result)
  }
}

export interface Choice {
  actor: number
  kind: 'step' | 'kill'
}

/** All promises that can go on have gone on: actors wait for nothing but their steps. */
function atRest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * Searches every interleaving, depth first, each state once; `check` sees the end of every run.
 * Gives back how many runs there were. With `preemptions` those only in which an actor that could
 * have gone on had to wait for another so many times at most: nearly all faults need few, and the
 * search stays short where actors have many steps.
 */
export async function searchInterleavings(
  prepare: (store: World['store']) => Promise<void>,
  actors: readonly Actor[],
  check: (world: World) => void | Promise<void>,
  options: { kills?: number; preemptions?: number } = {},
): Promise<number> {
  const { preemptions = Number.POSITIVE_INFINITY } = options
  const seen = new Set<string>()
  let path: { choices: Choice[]; taken: number }[] = []
  let runs = 0
  for (;;) {
    let depth = 0
    let current: number | undefined
    let left = preemptions
    const world = await runStepped(
      prepare,
      actors,
      (all, stateOf) => {
        const goesOn = (choice: Choice) => choice.actor === current
        const mustGoOn = left <= 0 && all.some(goesOn)
        const choices = mustGoOn ? all.filter(goesOn) : all
        if (path[depth] === undefined) {
          const bounded = Number.isFinite(left) ? `${current} ${left} ` : ''
          // A hash: whole states of a long search would fill the memory.
          const state = createHash('sha1').update(`${bounded}${stateOf()}`).digest('base64')
          if (seen.has(state)) return undefined
          seen.add(state)
          path.push({ choices, taken: 0 })
        }
        const next = path[depth] as { choices: Choice[]; taken: number }
        const choice = next.choices[next.taken] as Choice
        depth++
        if (choice.actor !== current && all.some(goesOn)) left--
        current = choice.actor
        return choice
      },
      options,
    )
    runs++
    if (!world.isCut) await check(world)
    // The last choice that has another way to go.
    while (path.length > 0) {
      const last = path[path.length - 1] as { choices: Choice[]; taken: number }
      last.taken++
      if (last.taken < last.choices.length) break
      path = path.slice(0, -1)
    }
    if (path.length === 0) return runs
  }
}
