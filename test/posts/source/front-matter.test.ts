import { describe, expect, it } from 'vitest'
import { readFrontMatter } from '../../../functions/posts/source/front-matter.ts'
import { readYaml } from '../../../functions/posts/source/yaml.ts'
import { parsed, refusalOf } from '../parsed.ts'

const values = (text: string) => ({ ...readFrontMatter(text).values })

describe('front matter', () => {
  it.each([
    ['---\ntitle: A\n---\nBody', 'yaml', { title: 'A' }, 'Body'],
    ['---  \ntitle: A\n---\t\nBody', 'yaml', { title: 'A' }, 'Body'],
    ['---\ntitle: A\n...\nBody', 'yaml', { title: 'A' }, 'Body'],
    ['---\n---\nBody', 'yaml', {}, 'Body'],
    ['---\ntitle: A\n---', 'yaml', { title: 'A' }, ''],
    ['\n\n---\ntitle: A\n---\nBody', 'yaml', { title: 'A' }, 'Body'],
    ['+++\ntitle = "A"\n+++\nBody', 'toml', { title: 'A' }, 'Body'],
    ['{\n"title": "A"\n}\nBody', 'json', { title: 'A' }, 'Body'],
    ['---json\n{"title": "A"}\n---\nBody', 'json', { title: 'A' }, 'Body'],
    [
      'Title: A\nDate: 2024-01-01\n\nBody',
      'pelican',
      { title: 'A', date: '2024-01-01' },
      '\n\nBody',
    ],
    ['Body', 'none', {}, 'Body'],
    ['', 'none', {}, ''],
  ])('is read from %j', (text, dialect, expected, body) => {
    const front = readFrontMatter(text)
    expect(front.dialect).toBe(dialect)
    expect({ ...front.values }).toEqual(expected)
    expect(front.body).toBe(body)
  })

  it.each([
    ['a rule and prose above another rule', '---\n\nJust a thought.\n\n---\n\nMore.'],
    ['a rule behind blank lines', '\n---\nfoo: bar\n---\nText'],
    ['an indented rule', '   ---\ntitle: A\n---\n'],
    ['prose with a colon', 'Note: this is no head.\n\nText'],
    ['a heading like a key', 'Title of it all\n\nText'],
    ['a brace', '{\nnot: json\n}\nText'],
  ])('is not seen in %s', (_, text) => {
    expect(readFrontMatter(text)).toMatchObject({ dialect: 'none', body: text })
  })

  it('keeps numbers, times and words as they are written', () => {
    expect(
      values(
        '---\na: 2024\nb: 010\nc: 12:30\nd: 1e3\ne: No\nf: ~\ng: 0x1F\nh: 2015-10-01 01:00:00\n---\n',
      ),
    ).toEqual({
      a: '2024',
      b: '010',
      c: '12:30',
      d: '1e3',
      e: 'No',
      f: null,
      g: '0x1F',
      h: '2015-10-01 01:00:00',
    })
  })

  it('takes the last of two equal keys, as Ruby does', () => {
    expect(values('---\ntitle: A\ntitle: B\n---\n')).toEqual({ title: 'B' })
  })

  it.each([
    ['title: 他说"你好"', '他说"你好"'],
    ['title: "他说"你好""', '他说"你好"'],
    ['title: a: b', 'a: b'],
    ['title: @x', '@x'],
    ['title: `code` first', '`code` first'],
    ['title: %x', '%x'],
    ['title: "C:\\Users"', 'C:\\Users'],
    ['title: *Emphasis* works', '*Emphasis* works'],
    ['title: [News] of today', '[News] of today'],
    ["title: 'It's here'", "It's here"],
  ])('%s is read as it is meant', (line, title) => {
    expect(values(`---\n${line}\ndate: 2024-01-01\ntags:\n  - a\n  - b\n---\n`)).toEqual({
      title,
      date: '2024-01-01',
      tags: ['a', 'b'],
    })
  })

  it('forgives indentation by tabs', () => {
    expect(values('---\ntags:\n\t- a\n\t- b\n---\n')).toEqual({ tags: ['a', 'b'] })
  })

  it.each([
    ['---\nbad yaml: [\n---\n', 'line 2'],
    ['---\ntitle: A\nlist:\n  - a\n b: c\n---\n', 'line 5'],
    ['---\ntitle: !ruby/object:Gem x\n---\n', 'ruby/object'],
    ['---\ntitle: A\n', 'never ends'],
    ['+++\ntitle = A\n+++\n', 'line 2'],
    ['---json\n{"title": }\n---\n', 'JSON'],
  ])('%j is refused with the place and the reason', (text, hint) => {
    const refusal = refusalOf(() => readFrontMatter(text))
    expect(refusal.code).toBe('post.front-matter')
    expect(refusal.message).toContain(hint)
  })

  it('cannot touch prototypes', () => {
    for (const head of [
      '---\n__proto__: {polluted: yes}\nconstructor: {prototype: {polluted: yes}}\ntitle: A\n---\nB',
      '+++\ntitle = "A"\n[__proto__]\npolluted = true\n+++\nB',
      '---json\n{"title": "A", "__proto__": {"polluted": true}}\n---\nB',
      'Title: A\n__proto__: x\n\nB',
    ]) {
      expect(parsed(head).title).toMatch(/^(A|Title: A proto: x)$/)
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    }
  })

  it('does not follow a bomb of aliases', () => {
    let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n'
    for (let i = 1; i < 12; i++) bomb += `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]\n`
    expect(parsed(`---\ntitle: A\n${bomb}tags: *a11\n---\nB`).tags).toEqual(['x'])
  })

  it('refuses what is nested too deeply', () => {
    const refusal = refusalOf(() => readFrontMatter(`---\na: ${'['.repeat(20_000)}\n---\n`))
    expect(refusal.code).toBe('post.front-matter')
    expect(refusalOf(() => readFrontMatter(`+++\na = ${'['.repeat(20_000)}\n+++\n`)).code).toBe(
      'post.front-matter',
    )
  })
})

it('YAML that cannot be read says where', () => {
  expect(readYaml('a: 1\nb: [')).toMatchObject({ status: 'unreadable', line: 2 })
})
