import { describe, expect, it } from 'vitest'
import { approveLetter } from '../../../functions/digests/letters/approve-letter.ts'
import { pauseRun, resumeRun } from '../../../functions/digests/runs/control-run.ts'
import { letterRunId } from '../../../functions/keys.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { tick } from '../../../functions/tick.ts'
import { confirmReader, tickAt } from '../newsroom.ts'
import { mailedTo, platform, publish, published, run, start } from './letter-platform.ts'

const friday = '2026-03-06T08:00:00Z'

describe('a letter with a set time', () => {
  it('goes at once when that time is past', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { mailed, letter } = await published({ mailAt: '2026-03-01T08:00:00Z' })
    expect({ mailed, at: letter?.at }).toEqual({ mailed: true, at: undefined })
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('of a post that comes out later goes at that time, never before the post', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await published({ published: friday, mailAt: '2026-03-05T08:00:00Z' })
    await published({ id: 'm', published: friday, mailAt: '2026-03-06T18:00:00Z' })
    await tickAt(platform, '2026-03-05T09:00:00Z')
    expect(await mailedTo()).toEqual([])
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
    await tickAt(platform, '2026-03-06T18:00:00Z')
    expect(await mailedTo()).toHaveLength(2)
  })

  it('goes late, once, when everything stood still at that time', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await published({ mailAt: friday })
    platform.setNow('2026-03-07T12:00:00Z')
    await Promise.all([tick(platform), tick(platform)])
    await platform.settle()
    await tickAt(platform, '2026-03-07T12:10:00Z')
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('goes although every job was lost', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await published({ mailAt: friday })
    platform.setNow(friday)
    await tick(platform)
    for (const lane of ['urgent', 'work', 'mail'] as const) {
      for (const { receipt } of await platform.jobs.receive(lane, { limit: 10, leaseSeconds: 9 })) {
        await platform.jobs.complete(receipt)
      }
    }
    await tickAt(platform, '2026-03-06T08:02:30Z')
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it.each([
    ['says `mail: none`', 'none', '`mail: none`'],
    ['is no letter any more', 'digest', 'none any more'],
  ])('whose post %s goes to nobody', async (_, mail, reason) => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published({ mailAt: friday })
    const edited = await published({ mail })
    expect(edited).toMatchObject({ mailed: false, reason: expect.stringContaining(reason) })
    await tickAt(platform, friday)
    expect(await run(post.id)).toMatchObject({ state: 'skipped', chunks: 0 })
    expect(await mailedTo()).toEqual([])
  })

  it('is called off by a withdrawal for good, also when the post comes back before that time', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published({ mailAt: friday })
    await withdrawPost(platform, post.id)
    const back = await published({ mailAt: friday })
    expect(back).toMatchObject({ mailed: false })
    await tickAt(platform, friday)
    expect(await run(post.id)).toMatchObject({ state: 'skipped' })
    expect(await mailedTo()).toEqual([])
  })

  it('that is hidden at that time is owed to nobody, and the run says why', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published({ mailAt: friday })
    await published({ mailAt: friday, draft: true })
    await tickAt(platform, friday)
    expect(await run(post.id)).toMatchObject({
      state: 'skipped',
      reason: 'Its post was hidden when it was to be mailed.',
    })
  })

  it('is mailed once when a mail is asked for again while it waits', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published({ mailAt: friday })
    await published({ content: 'Now.' }, { mailAgain: true })
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
    expect(await run(post.id)).toMatchObject({ reason: 'Its post is mailed anew instead.' })
    expect(await run(post.id, 1)).toMatchObject({ state: 'done' })
  })

  it('can be mailed again at a time', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await published()
    const again = await published({ mailAt: friday }, { mailAgain: true })
    expect(again).toMatchObject({ mailed: true, letter: { at: friday } })
    expect(await mailedTo()).toHaveLength(1)
    await tickAt(platform, friday)
    expect(await mailedTo()).toHaveLength(2)
  })

  it('is kept as long after that time as any other run', async () => {
    await start()
    const { post } = await published({ mailAt: '2028-03-06T08:00:00Z' })
    await tickAt(platform, '2028-03-05T08:00:00Z')
    expect(await run(post.id)).toMatchObject({ state: 'planned' })
    expect((await run(post.id))?.expires).toBe('2029-04-10T08:00:00.000Z')
  })

  it.each([
    ['says `mail: digest`', { mail: 'digest' }],
    ['is none by its categories', { mail: undefined, categories: ['news'] }],
  ])('is refused for a post that %s', async (_, fields) => {
    await start()
    const refused = await publish({ mailAt: friday, ...fields })
    expect(refused).toMatchObject({ status: 'refused', code: 'post.mail-at' })
  })

  it('may come from a category of letters, and from an archive that is mailed to nobody', async () => {
    await start()
    const byCategory = { mail: undefined, categories: ['letters'], mailAt: friday }
    expect(await published(byCategory)).toMatchObject({ letter: { at: friday } })
    const archived = { id: 'old', mail: undefined, published: '2020-01-01T00:00:00Z' }
    const outcome = await published({ ...archived, mailAt: friday }, { way: 'import' })
    expect(outcome).toMatchObject({ status: 'published', mailed: false })
  })

  it('is mailed although its post is old', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const old = { published: '2020-01-01T00:00:00Z' }
    expect(await published(old)).toMatchObject({ mailed: false })
    expect(await published({ ...old, id: 'm', mailAt: friday })).toMatchObject({ mailed: true })
    await tickAt(platform, friday)
    expect(await mailedTo()).toHaveLength(1)
  })
})

describe('a letter that waits for approval', () => {
  it('is nothing that a retry could send', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published()
    const { retryRun } = await import('../../../functions/digests/runs/control-run.ts')
    const id = letterRunId(post.id, 0)
    await expect(retryRun(platform, id)).rejects.toThrow('Resume it first')
    await tickAt(platform, '2026-03-02T09:00:00Z')
    await retryRun(platform, id)
    await tickAt(platform, '2026-03-02T09:10:00Z')
    expect(await mailedTo()).toEqual([])
    expect(await run(post.id)).toMatchObject({ state: 'skipped' })
  })

  it('can be approved until its set time where that is later than the time for approval', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post, letter } = await published({ mailAt: friday })
    expect(letter?.approveBy).toBe(friday)
    await tickAt(platform, '2026-03-05T20:00:00Z')
    await approveLetter(platform, letterRunId(post.id, 0))
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('may be given a time by an edit, and is then approved for that time', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published()
    expect(await published({ mailAt: friday })).toMatchObject({
      mailed: false,
      reason: expect.stringContaining('still waits'),
    })
    const approved = await approveLetter(platform, letterRunId(post.id, 0))
    expect(approved).toMatchObject({ state: 'planned', dueAt: friday })
    await tickAt(platform, '2026-03-06T07:59:00Z')
    expect(await mailedTo()).toEqual([])
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('held by hand still follows its post', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published()
    const id = letterRunId(post.id, 0)
    await pauseRun(platform, id)
    await published({ mailAt: friday })
    await tickAt(platform, '2026-03-02T08:10:00Z')
    expect((await resumeRun(platform, id)).state).toBe('planned')
    await platform.settle()
    expect(await mailedTo()).toEqual([])
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('is approved too late once its deadline has passed, also before a tick has seen it', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published()
    platform.setNow('2026-03-02T09:00:00Z')
    for (const act of [approveLetter, resumeRun]) {
      await act(platform, letterRunId(post.id, 0)).catch((error) => {
        expect(error).toMatchObject({ code: 'run.over', status: 409 })
      })
    }
    await tickAt(platform, '2026-03-02T09:10:00Z')
    expect(await run(post.id)).toMatchObject({ state: 'skipped' })
    expect(await mailedTo()).toEqual([])
  })

  it('is approved once, however often it is asked for', async () => {
    await start({ approval: 1 })
    await confirmReader(platform, 'ada@example.org')
    const { post } = await published()
    const id = letterRunId(post.id, 0)
    await Promise.all([approveLetter(platform, id), approveLetter(platform, id)])
    await platform.settle()
    expect((await approveLetter(platform, id)).state).toBe('done')
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })
})
