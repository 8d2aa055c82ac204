import { describe, expect, it } from 'vitest'
import { type ContentOptions, readContent } from '../../../functions/posts/content/content.ts'
import { renderMarkdown } from '../../../functions/posts/content/markdown.ts'
import { defaultSettings, hiddenPatterns } from '../../../functions/settings/settings.ts'
import { readSettings } from '../../../functions/settings/settings-file.ts'

const page = 'https://news.example/posts/quay/'
const hiddenLines = defaultSettings.content.hiddenLines.map(
  (line) => new RegExp(`^(?:${line})$`, 'u'),
)
const read = (html: string, options: Partial<ContentOptions> = {}) =>
  readContent(html, { baseUrl: page, pageUrl: page, title: 'Quay', ...options })
const markdown = (text: string, options: Partial<ContentOptions> = {}) =>
  read(renderMarkdown(text), options)

describe('the HTML of a post', () => {
  it.each([
    ['<p>a<p>b', '<p>a</p><p>b</p>'],
    ['<b>bold<i>both</b>after', '<b>bold<i>both</i></b>after'],
    ['<center>x</center>', '<div align="center">x</div>'],
    ['<p style="color:red; text-align:right">x</p>', '<p align="right">x</p>'],
    ['<font color=red>x</font>', 'x'],
    ['<span id="quote_1"></span>x<span class=k>y</span>', 'xy'],
    ['<p>&nbsp;</p><p><br></p><div><p></p></div>x', 'x'],
    ['<p>a<div>b</div>', '<p>a</p><div>b</div>'],
    ['<p>a<b><div>b</div>', '<p>a<b><br>b</b></p>'],
    [
      '<table>x<tr>y<td>z</table>',
      '<table><tr><td>x</td></tr><tr><td>y</td><td>z</td></tr></table>',
    ],
    ['<td>loose</td>', 'loose'],
    ['<ul><li>a<div><li>b</ul>', '<ul><li>a<div>b</div></li></ul>'],
    ['<ruby>x<rt>a<tr><rt>b</ruby>', '<ruby>x<rt>ab</rt></ruby>'],
    ['<svg><text>x</text></svg>y', 'y'],
    ['a<!-- b -->c', 'ac'],
    ['<p style="display:none;height:1px">x</p>y', 'y'],
    ['<p hidden>x</p>y', 'y'],
    ['<img src="/pixel.gif" width="1" height="1">y', 'y'],
    ['<input type=checkbox checked> done', '☑  done'],
    ['<script>x</script><style>y</style>z', 'z'],
    ['a &lt; b &amp; c', 'a &lt; b &amp; c'],
  ])('%s becomes %s', (source, html) => {
    expect(read(source).html).toBe(html)
  })

  it.each([
    ['<a href="map/">x</a>', 'https://news.example/posts/quay/map/'],
    ['<a href="/map/">x</a>', 'https://news.example/map/'],
    ['<a href="//old.example/x">x</a>', 'https://old.example/x'],
    ['<a href="?page=2">x</a>', 'https://news.example/posts/quay/?page=2'],
    ['<a href="http://a.example/x,1.html?a=1&b=2">x</a>', 'http://a.example/x,1.html?a=1&amp;b=2'],
    ['<a href="mailto:a@b.example">x</a>', 'mailto:a@b.example'],
    ['<a href="/泰州">x</a>', 'https://news.example/%E6%B3%B0%E5%B7%9E'],
    ['<a href="#note">x</a>', 'https://news.example/posts/quay/#post-note'],
  ])('has absolute addresses: %s leads to %s', (source, href) => {
    expect(read(source).html).toBe(`<a href="${href}">x</a>`)
  })

  it('takes addresses from the canonical page, and fragments to ours', () => {
    const { html } = read('<a href="x">x</a><a href="#y">y</a><p id="y">z</p>', {
      baseUrl: 'https://home.example/2024/quay.html',
    })
    expect(html).toBe(
      `<a href="https://home.example/2024/x">x</a><a href="${page}#post-y">y</a><p id="post-y">z</p>`,
    )
  })

  it('keeps ids that its links lead to, and names headings that they mean', () => {
    const { html } = markdown(
      '[one](#fares)\n[two](#the-old-quay)\n\n## Fares {#fares}\n\n## The old quay\n\n## Other',
    )
    expect(html).toContain('<h2 id="post-fares">Fares</h2>')
    expect(html).toContain('<h2 id="post-the-old-quay">The old quay</h2>')
    expect(html).toContain('<h2>Other</h2>')
  })

  it('has the address that a lazy loader hides, and films as links', () => {
    expect(read('<img src="data:image/gif;base64,x" data-src="a.png" alt="A">').html).toBe(
      `<img src="${page}a.png" alt="A">`,
    )
    expect(read('<iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe>').html).toBe(
      '<a href="https://www.youtube.com/watch?v=abcdefghijk">https://www.youtube.com/watch?v=abcdefghijk</a>',
    )
    expect(read('<video><source src="a.mp4">no film</video>').html).toBe(
      `<a href="${page}a.mp4">${page}a.mp4</a>`,
    )
  })

  it('leaves out a heading at the top that repeats the title, and only that', () => {
    expect(markdown('# Quay!\n\ntext', { title: 'Quay' }).html).toBe('<p>text</p>')
    expect(markdown('text\n\n# Quay', { title: 'Quay' }).html).toContain('<h1>Quay</h1>')
  })
})

describe('a line of navigation', () => {
  const back = '[返回泰州日报新闻](//a.example/c)｜[返回首页](//a.example/)'

  it.each([
    [back],
    ['[Back to the front page](/)'],
    ['[Zurück zur Liste](/)'],
    [`<p>${'<a href="/">返回首页</a>'}</p>`],
  ])('is dropped: %s', (line) => {
    const { html, text, runs } = markdown(`Text.\n\n${line}`, { hiddenLines })
    expect(html).toBe('<p>Text.</p>')
    expect(text).toBe('Text.')
    expect(runs).toHaveLength(1)
  })

  it.each([
    ['words of prose', '返回首页是一种艺术，他说。'],
    ['a link in prose', '[返回首页](/)的艺术'],
    ['another link', '[地图](/map)'],
    ['a link of the post’s own', '[Back to basics](/basics)'],
    ['a very long line', `[返回${'页'.repeat(400)}](/)`],
  ])('is not %s', (_, line) => {
    expect(markdown(`Text.\n\n${line}`, { hiddenLines }).text).toContain(
      line.replace(/[[\]]|\(.*?\)/g, '').slice(0, 4),
    )
  })
})

describe('a paragraph that broadsheet.yaml hides', () => {
  const { content } = readSettings({
    yaml: 'content: {hiddenLines: ["^Anzeige.*$", "Share this(?: now)?"]}',
  })
  const options = hiddenPatterns({ content })

  it.each([['Anzeige: Möbel Meier'], ['share **this** [now](/x)'], ['[Share this](/share)']])(
    'is dropped: %s',
    (line) => {
      const { html, text, runs } = markdown(`Text.\n\n${line}\n\nEnd.`, options)
      expect(html.replace(/\s/g, '')).toBe('<p>Text.</p><p>End.</p>')
      expect(text).toBe('Text.\n\nEnd.')
      expect(runs).toHaveLength(2)
    },
  )

  it.each([
    ['more than its words', 'Share this with friends'],
    ['a heading', '## Anzeige'],
    ['a picture', 'Anzeige ![a map](/map.png)'],
    ['a very long text', `Anzeige ${'x'.repeat(300)}`],
  ])('is not %s', (_, line) => {
    const kept = markdown(line, {}).html
    expect(markdown(`Text.\n\n${line}`, options).html).toContain(kept)
  })

  it('leaves words alone that only links are hidden by', () => {
    const byDefault = hiddenPatterns(defaultSettings)
    expect(markdown('Text.\n\nBack to the index', byDefault).text).toContain('Back to')
    expect(markdown('Text.\n\n[Back to the index](/)', byDefault).text).toBe('Text.')
  })
})

describe('a source link', () => {
  const take = (text: string) => markdown(text, { takesSourceLink: true, hiddenLines })

  it('is the autolink that a post ends with, before its navigation', () => {
    const content = take('Text.\n\n<http://a.example/x,1.html?infoCode=NW1>\n\n[返回首页](/)')
    expect(content.sourceLink).toBe('http://a.example/x,1.html?infoCode=NW1')
    expect(content.html).toBe('<p>Text.</p>')
    expect(content.text).toBe('Text.')
  })

  it.each([
    ['followed by text', '<http://a.example/x>\n\nText.'],
    ['all there is', '<http://a.example/x>'],
    ['a bare address', 'Text.\n\nhttp://a.example/x'],
    ['in a sentence', 'Text.\n\nSee <http://a.example/x>'],
    ['in a quote', 'Text.\n\n> <http://a.example/x>'],
    ['a picture', 'Text.\n\n<http://a.example/x.jpg>'],
    ['an address of mail', 'Text.\n\n<a@b.example>'],
    ['malformed', 'Text.\n\n<>'],
  ])('is not one that is %s', (_, text) => {
    const content = take(text)
    expect(content.sourceLink).toBeUndefined()
    expect(content.html.length).toBeGreaterThan(10)
  })
})

describe('plain text', () => {
  it('keeps blocks, lists, quotes, code and tables apart', () => {
    const { text } = markdown(
      [
        '# Head',
        'One\ntwo **three**.',
        '- a\n- b\n  1. c\n  2. d',
        '> quote\n>\n> again',
        '```\nif x {\n\n    y\n}\n```',
        '| A | B |\n|---|---|\n| 1 | 2 |',
        '---',
        'End.',
      ].join('\n\n'),
    )
    expect(text).toBe(
      [
        'Head',
        'One two three.',
        '- a\n- b\n  1. c\n  2. d',
        '> quote\n>\n> again',
        'if x {\n\n    y\n}',
        'A | B\n1 | 2',
        '─'.repeat(24),
        'End.',
      ].join('\n\n'),
    )
  })

  it('lists link targets once at its end, and leaves out what a label already says', () => {
    const { text } = markdown(
      '[a](https://a.example/) [b](https://b.example/x) [a again](https://a.example/) <https://c.example/>',
    )
    expect(text).toBe(
      'a [1] b [2] a again [1] https://c.example/\n\n[1] https://a.example/\n[2] https://b.example/x',
    )
  })

  it('tells footnotes from link targets', () => {
    const { text, runs } = markdown(
      'A[^1] [b](https://b.example/), again[^1]; 脚注[^2]。\n\n[^1]: Note.\n[^2]: Other.',
    )
    expect(text).toBe(
      `A¹ b [1], again¹; 脚注²。\n\n${'─'.repeat(24)}\n\n¹ Note.\n\n² Other.\n\n[1] https://b.example/`,
    )
    expect(runs.map(({ text }) => text)).toEqual(['A b, again; 脚注。', 'Note.', 'Other.'])
  })

  it.each([
    ['<p>今晨\n登陆</p>', '今晨登陆'],
    ['<p>今晨\n<b>登陆</b>。</p>', '今晨登陆。'],
    ['<p>今晨 登陆</p>', '今晨 登陆'],
    ['<p>한국어\n단어</p>', '한국어 단어'],
    ['<p>one\n<i>two</i>\nthree</p>', 'one two three'],
    ['<p>第 1\n章</p>', '第 1 章'],
  ])('of %j has blanks where its script has them: %j', (source, expected) => {
    const { text, runs } = read(source)
    expect(text).toBe(expected)
    expect(runs[0]?.text).toBe(expected)
  })

  it('has the images’ descriptions', () => {
    expect(read('<p>a<img src=x alt="A crane">b</p>').text).toBe('a [A crane] b')
  })
})

describe('Markdown', () => {
  it.each([
    ['**“引号”**文字', '<p><strong>“引号”</strong>文字</p>'],
    ['**中文。**后', '<p><strong>中文。</strong>后</p>'],
    ['今晨\n登陆', '<p>今晨登陆</p>'],
    ['one\ntwo', '<p>one\ntwo</p>'],
    ['한국어\n단어', '<p>한국어\n단어</p>'],
    ['~~a~~', '<p><s>a</s></p>'],
    ['https://a.example/x', '<p><a href="https://a.example/x">https://a.example/x</a></p>'],
    ['README.md and a@b.example', '<p>README.md and a@b.example</p>'],
    ['text\n{: .lead}', '<p>text</p>'],
    ['text{: .lead} more', '<p>text more</p>'],
    ['## Words\n{: .no_toc}', '<h2>Words</h2>'],
    ['* TOC\n{:toc}\n\ntext', '<p>text</p>'],
    ['{::options parse_block_html="true" /}\n\ntext', '<p>text</p>'],
    ['`{: .lead}`', '<p><code>{: .lead}</code></p>'],
    ['<div markdown="1">\n**b**\n</div>', '<div>\n<p><strong>b</strong></p>\n</div>'],
    ['```\n<div markdown="1">\n```', '<pre><code>&lt;div markdown="1"&gt;\n</code></pre>'],
    ['```rust ignore\nx\n```', '<pre><code class="language-rust">x\n</code></pre>'],
    [
      '| a |\n|--:|\n| 1 |',
      '<table>\n<thead>\n<tr>\n<th align="right">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align="right">1</td>\n</tr>\n</tbody>\n</table>',
    ],
    ['<>', '<p>&lt;&gt;</p>'],
  ])('%j becomes %j', (source, html) => {
    expect(markdown(source).html).toBe(html)
  })

  it('marks where the author ends the excerpt', () => {
    expect(markdown('One.\n\n<!--more-->\n\nTwo.').excerptRuns).toBe(1)
    expect(markdown('One.\n\n<!-- truncate -->\n\nTwo.').excerptRuns).toBe(1)
    expect(markdown('One.\n\n<!-- moreover -->\n\nTwo.').excerptRuns).toBeUndefined()
  })
})
