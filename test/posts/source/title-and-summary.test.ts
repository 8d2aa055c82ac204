import { describe, expect, it } from 'vitest'
import { parsed, refusalOf } from '../parsed.ts'

describe('the title of a post', () => {
  it.each([
    ['the first heading', '# Fog\n\nx', 'b.md', 'Fog'],
    ['a heading at the top', '### Fog\n\nx', 'b.md', 'Fog'],
    [
      'the file’s name, when a heading comes later',
      'x\n\n## Fog',
      '2020-01-01-fog-at-sea.md',
      'Fog at sea',
    ],
    ['the folder’s name of a bundle', 'x', 'posts/fog-at-sea/index.md', 'Fog at sea'],
    ['the first words, when the name is a number', 'Fog at sea.', '20200101.md', 'Fog at sea.'],
    ['the first words, without a name', 'Fog at sea.\n\nMore.', undefined, 'Fog at sea.'],
    ['an image’s description', '![Fog](x.png)', undefined, 'Fog'],
    [
      'the file’s name, when the heading is a template’s',
      '# {{ page.title }}\n\nx',
      'fog.md',
      'Fog',
    ],
  ])('is %s', (_, source, path, title) => {
    expect(parsed(source, path === undefined ? {} : { path }).title).toBe(title)
  })

  it('may look like other things', () => {
    for (const title of ['2024', '12:30', 'No', '1e3', '010']) {
      expect(parsed(`---\ntitle: ${title}\n---\nB`).title).toBe(title)
    }
  })

  it('has a bound, as an id has', () => {
    expect(refusalOf(() => parsed(`---\ntitle: ${'a'.repeat(2001)}\n---\nB`)).code).toBe(
      'post.title',
    )
    expect(refusalOf(() => parsed(`---\ntitle: A\nid: ${'a'.repeat(501)}\n---\nB`)).code).toBe(
      'post.id',
    )
    expect(parsed(`# ${'泰'.repeat(300)}\n\nB`).title).toBe(`${'泰'.repeat(79)}…`)
  })

  it('is needed somehow', () => {
    expect(refusalOf(() => parsed('---\ntitle: ""\n---\n')).code).toBe('post.title')
  })

  it.each(['', ' \n\n', '---\ncategories: [news]\n---\n', '<!-- soon -->', '<script>x</script>'])(
    'is not made of a file’s name where there is nothing to read: %j',
    (source) => {
      const file = { path: '_posts/2026-03-01-harbour.md' }
      expect(refusalOf(() => parsed(source, file)).code).toBe('post.title')
    },
  )

  it.each([
    ['Words', 'Two words.'],
    ['a picture', '![](/crane.jpg)'],
    ['a film', '<video src="https://films.example/a.mp4"></video>'],
    ['a summary', '---\nsummary: Soon.\n---\n'],
    ['nothing yet, as a draft', '---\ndraft: true\n---\n'],
  ])('is made of the file’s name for %s', (_, source) => {
    expect(parsed(source, { path: 'harbour.md' }).title).toBe('Harbour')
  })
})

describe('a summary', () => {
  it('of several paragraphs has no blank between two Chinese sentences, and one between two English ones', () => {
    expect(parsed('---\ntitle: A\n---\n它也慢。\n\n于是有了“小报”。').summary).toBe(
      '它也慢。于是有了“小报”。',
    )
    expect(parsed('---\ntitle: A\n---\nIt is slow.\n\nSo it grew.').summary).toBe(
      'It is slow. So it grew.',
    )
    expect(parsed('---\ntitle: A\nsummary: |\n  它也\n  慢。\n---\nB').summary).toBe('它也慢。')
  })

  it('leaves out what only repeats the title', () => {
    expect(
      parsed('---\ntitle: “Quay” news\n---\n<p>“Quay” news</p><p>The crane is back.</p>').summary,
    ).toBe('The crane is back.')
  })

  it('is of 280 characters at most, however many code units they have', () => {
    const family = '👨‍👩‍👧‍👦'
    const { summary } = parsed(`---\ntitle: A\n---\n${family.repeat(300)}`)
    expect(summary).toBe(`${family.repeat(279)}…`)
    expect(parsed(`---\ntitle: A\n---\n${'泰'.repeat(280)}`).summary).toBe('泰'.repeat(280))
    expect(parsed(`---\ntitle: A\n---\n${'泰'.repeat(281)}`).summary).toBe(`${'泰'.repeat(279)}…`)
  })

  it('ends with a sentence where one ends late enough, else with a word', () => {
    const words = 'word '.repeat(50)
    expect(parsed(`---\ntitle: A\n---\n${words}end. ${words}`).summary).toBe(`${words}end.`)
    expect(parsed(`---\ntitle: A\n---\nA. ${'harbour '.repeat(60)}`).summary).toMatch(/harbour…$/)
  })

  it('is the author’s, as plain text', () => {
    expect(parsed('---\ntitle: A\nexcerpt: "<p>The *crane* &amp; more</p>"\n---\nB').summary).toBe(
      'The *crane* & more',
    )
    expect(parsed('---\ntitle: A\ndescription: The *crane*\n---\nB').summary).toBe('The crane')
  })

  it('ends at the author’s own separator', () => {
    expect(parsed('---\ntitle: A\nexcerpt_separator: "~~~"\n---\nOne.\n~~~\nTwo.').summary).toBe(
      'One.',
    )
  })
})
