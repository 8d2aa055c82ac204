import { expect } from 'vitest'

export type Mode = 'letter' | 'digest' | 'none'

/**
 * What becomes of one letter, in the words of docs/publish.md: it goes once its time has come,
 * somebody approved it as it stands where that is needed, and nobody holds it; an edit moves it only
 * as long as its time, or the time for its approval, is still to come. Times in milliseconds.
 */
export class LetterOracle {
  readonly #rules: { approvalMs: number | undefined; unapproved: 'skip' | 'send' }
  readonly #readers = new Set<string>()
  /** Who reads its categories at its time. */
  #audience: Set<string> | undefined
  #mode: Mode = 'letter'
  #wasListed = false
  #isWithdrawn = false
  #time = 0
  #hasSetTime = false
  /** The end of the time for approval, as its post has it. */
  #approveBy: number | undefined
  /** The same, as it was given anew by an edit after the approval. */
  #deadline = 0
  #needsApproval = false
  #isApproved = false
  #isHeld = false
  #expected: string[] = []
  #everGot = false
  /** Which of its texts was sent. */
  sentText: number | undefined
  status: 'none' | 'waits' | 'gone' | 'off' = 'none'

  constructor(rules: { approvalMs: number | undefined; unapproved: 'skip' | 'send' }) {
    this.#rules = rules
  }

  isReader(name: string): boolean {
    return this.#readers.has(name)
  }

  join(reader: string): void {
    this.#readers.add(reader)
  }

  leave(reader: string): void {
    this.#readers.delete(reader)
    this.#audience?.delete(reader)
  }

  /** Whether the answer says that it is mailed; `undefined` where it may say either. */
  publish(now: number, mode: Mode, at: number | undefined): boolean | undefined {
    const isFirst = !this.#wasListed
    this.#mode = mode
    this.#isWithdrawn = false
    if (isFirst) {
      this.#wasListed = true
      if (mode !== 'letter') return mode === 'digest'
      this.status = 'waits'
      this.#setTime(now, at)
      if (!this.#hasSetTime) this.#audience = new Set(this.#readers)
      if (this.#rules.approvalMs !== undefined) {
        this.#approveBy = now + this.#rules.approvalMs
        this.#askFor(this.#rules.approvalMs, now)
      }
      return true
    }
    if (this.status !== 'waits') return undefined
    if (this.#isApproved && !this.#isHeld) this.#askFor(this.#rules.approvalMs ?? 0, now)
    const isMoved =
      this.#approveBy === undefined
        ? this.#hasSetTime && this.#time > now
        : Math.max(this.#approveBy, this.#hasSetTime ? this.#time : 0) > now
    if (!isMoved || mode !== 'letter') {
      // Without approval the post itself says that nothing is mailed any more.
      if (isMoved && this.#approveBy === undefined) this.#end('off')
      return undefined
    }
    const wasDue = this.#time <= now
    this.#setTime(now, at)
    if (wasDue && !this.#hasSetTime) return undefined
    if (this.#hasSetTime) this.#audience = undefined
    return this.#approveBy === undefined ? true : undefined
  }

  #askFor(approvalMs: number, now: number): void {
    this.#deadline = now + approvalMs
    this.#needsApproval = true
    this.#isApproved = false
  }

  #setTime(now: number, at: number | undefined): void {
    this.#hasSetTime = at !== undefined && at > now
    this.#time = this.#hasSetTime ? (at ?? now) : now
  }

  withdraw(now: number): void {
    this.#isWithdrawn = true
    const waitsForTime = this.#approveBy === undefined && this.#hasSetTime && this.#time > now
    if (this.status === 'waits' && waitsForTime) this.#end('off')
  }

  approve(now: number, isDone: boolean): void {
    this.#advance(now)
    if (this.status !== 'waits') {
      if (this.status === 'off') expect(isDone).toBe(false)
      return
    }
    expect(isDone).toBe(!this.#isHeld)
    if (!this.#isHeld) this.#approve()
  }

  pause(_now: number, isDone: boolean): void {
    if (this.status !== 'waits') return
    expect(isDone).toBe(true)
    this.#isHeld = true
    this.#needsApproval = false
  }

  resume(now: number, _isDone: boolean): void {
    this.#advance(now)
    if (this.status !== 'waits') return
    if (this.#isHeld || this.#needsApproval) this.#approve()
    this.#isHeld = false
  }

  #approve(): void {
    this.#isApproved = this.#approveBy !== undefined
    this.#needsApproval = false
  }

  tick(now: number, text: number): void {
    this.#advance(now)
    if (this.status !== 'waits' || this.#isHeld || this.#needsApproval || now < this.#time) return
    this.#expected = [...(this.#audience ?? [])]
    this.sentText = text
    this.#end('gone')
  }

  /** What is due at an instant, up to letting it go. */
  #advance(now: number): void {
    if (this.status !== 'waits') return
    if (this.#isWithdrawn || this.#mode !== 'letter') return this.#end('off')
    if (now >= this.#time) this.#audience ??= new Set(this.#readers)
    const deadline = Math.max(this.#deadline, this.#time)
    if (!this.#needsApproval || now < deadline) return
    if (this.#rules.unapproved === 'skip') this.#end('off')
    else this.#needsApproval = false
  }

  #end(status: 'gone' | 'off'): void {
    this.status = status
  }

  get runState(): string | undefined {
    switch (this.status) {
      case 'none':
        return undefined
      case 'off':
        return 'skipped'
      case 'gone':
        return this.#everGot ? 'done' : 'skipped'
      case 'waits':
        return this.#isHeld || this.#needsApproval ? 'paused' : 'planned'
    }
  }

  /** Compares with who got a letter so far. */
  check(got: readonly string[]): void {
    expect(new Set(got).size).toBe(got.length)
    if (this.status !== 'gone') return expect(got).toEqual([])
    for (const reader of this.#expected) expect(got).toContain(reader)
    this.#everGot = got.length > 0
  }
}
