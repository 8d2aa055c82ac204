/**
 * Runs actions on the same key one after the other, in the order asked, and those on different keys
 * side by side. An action that fails does not keep the next one from running.
 */
export function keyLock(): <T>(key: string, action: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (key, action) => {
    const before = last.get(key)
    const mine = before ? before.then(action, action) : action()
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
