import { type RealClock, realClock } from './real-clock.ts'

/**
 * A step of a tick takes no longer than that, milliseconds: all of them together end within the
 * minute after which the function is stopped, however much each has to do.
 */
const turnMs = 5_000
const atATime = 16

/** What one step has of a tick's time. */
export interface Turn {
  /** Asked before each further piece of work, which is left when this says `true`. */
  isOver(): boolean
  /** Something was left. */
  readonly hasLeft: boolean
}

/** The turn of a step that begins now. */
export function openTurn(clock: RealClock = realClock): Turn {
  const end = clock.now() + turnMs
  return turnThat(() => clock.now() >= end)
}

/** For work that must not be left half done, such as a tick by hand. */
export const endlessTurn = (): Turn => turnThat(() => false)

function turnThat(isSpent: () => boolean): Turn {
  let hasLeft = false
  return {
    isOver: () => {
      hasLeft ||= isSpent()
      return hasLeft
    },
    get hasLeft() {
      return hasLeft
    },
  }
}

/**
 * Works through items, some side by side, until the turn is over or `work` says `'enough'`. What
 * fails is thrown once those under way have ended.
 */
export async function sideBySide<T>(
  items: Iterable<T> | AsyncIterable<T>,
  turn: Turn,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = inOrder(items)
  let isEnough = false
  const faults: unknown[] = []
  const worker = async () => {
    try {
      while (!isEnough) {
        const { done, value } = await queue.next()
        if (done || isEnough || turn.isOver()) return
        if ((await work(value)) === 'enough') isEnough = true
      }
    } catch (fault) {
      isEnough = true
      faults.push(fault)
    }
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  await queue.return()
  if (faults.length > 0) throw faults[0]
}

/** A generator answers those who ask at once in turn. */
async function* inOrder<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  yield* items
}
