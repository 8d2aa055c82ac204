import { createHash } from 'node:crypto'
import { accentFor, colours } from './accent.ts'
import { serifStack } from './typefaces.ts'

/**
 * The one stylesheet of all pages, as text: a module works in a bundle and under test alike. The
 * address carries a hash of the bytes, so it can be cached for ever and a change is seen at once.
 */
export function stylesheet(accent?: string): { css: string; path: string } {
  const known = made.get(accent ?? '')
  if (known) return known
  const css = rules(accentFor('light', accent), accentFor('dark', accent))
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,]) ?/g, '$1')
    .replaceAll(/: /g, ':')
    .replaceAll(';}', '}')
    .trim()
  const hash = createHash('sha256').update(css).digest('hex').slice(0, 10)
  const sheet = { css, path: `/assets/site.${hash}.css` }
  made.clear()
  made.set(accent ?? '', sheet)
  return sheet
}

const made = new Map<string, { css: string; path: string }>()

/** A letter B between two rules, in the page's colours. */
export const favicon = {
  path: '/favicon.svg',
  svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>path{fill:${colours.light.ink}}.p{fill:${colours.light.paper}}.r{fill:${colours.light.accent}}@media(prefers-color-scheme:dark){path{fill:${colours.dark.ink}}.p{fill:${colours.dark.paper}}.r{fill:${colours.dark.accent}}}</style><path class="p" d="M0 0h32v32H0z"/><path class="r" d="M3 3h26v1.6H3zM3 6h26v.8H3z"/><path d="M9 10h8.4c3.6 0 5.8 1.5 5.8 4.3 0 2.1-1.300 3.500-3.500 4 2.900.4 4.500 2 4.500 4.500 0 3.300-2.500 5.200-6.600 5.200H9v-1.200l2-.5V11.700l-2-.5zm5.400 1.600v6.100h2.200c2 0 3-1 3-3.100 0-2-1-3-3.100-3zm0 7.700v7.100h2.500c2.300 0 3.500-1.200 3.500-3.600 0-2.300-1.200-3.500-3.500-3.500z"/></svg>`,
} as const

const rules = (accentLight: string, accentDark: string) => `
:root {
  color-scheme: light dark;
  --ink: ${colours.light.ink}; --paper: ${colours.light.paper}; --quiet: ${colours.light.quiet};
  --rule: #1b1a1724; --accent: ${accentLight};
  --serif: ${serifStack('latin', '"')};
  --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --step: .8rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: ${colours.dark.ink}; --paper: ${colours.dark.paper}; --quiet: ${colours.dark.quiet};
    --rule: #e9e6df24; --accent: ${accentDark};
  }
}
:lang(zh) {
  --serif: ${serifStack('simplifiedChinese', '"')};
  --sans: system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
}
:lang(zh-TW), :lang(zh-Hant), :lang(zh-HK) {
  --serif: ${serifStack('traditionalChinese', '"')};
  --sans: system-ui, "PingFang TC", "Noto Sans CJK TC", "Microsoft JhengHei", sans-serif;
}
:lang(ja) {
  --serif: ${serifStack('japanese', '"')};
  --sans: system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic UI", sans-serif;
}
:lang(ko) {
  --serif: ${serifStack('korean', '"')};
  --sans: system-ui, "Apple SD Gothic Neo", "Noto Sans CJK KR", "Malgun Gothic", sans-serif;
  word-break: keep-all;
}
*, ::before, ::after { box-sizing: border-box; }
html { font-size: 112.5%; line-height: 1.6; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
html:lang(zh), html:lang(ja), html:lang(ko) { font-size: 106.25%; line-height: 1.8; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font-variant-numeric: oldstyle-nums; hanging-punctuation: first allow-end last;
  text-spacing-trim: trim-start; line-break: strict; overflow-wrap: break-word;
}
body, [lang] { font-family: var(--serif); }
:is(:lang(zh), :lang(ja), :lang(ko)) :is(em, i, cite) { font-style: normal; text-emphasis: filled dot; text-emphasis-position: under right; }
h1, h2, h3, h4 { margin: 0; line-height: 1.15; font-weight: 700; text-wrap: balance; overflow-wrap: anywhere; hyphens: auto; hyphenate-limit-chars: 14 6 6; }
:is(h1, h2, h3, h4):is(:lang(zh), :lang(ja), :lang(ko)) { line-height: 1.35; }
p, ul, ol, dl, dd, figure, fieldset { margin: 0; padding: 0; }
a { color: inherit; text-decoration-thickness: 1px; text-underline-offset: .15em; }
a:hover { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
img, video, audio { max-inline-size: 100%; }
img, video { block-size: auto; }

.page { max-inline-size: 66rem; margin-inline: auto; padding: var(--step) clamp(1rem, 4vw, 2.4rem); }
.page.narrow { max-inline-size: 42.8rem; }
.skip { position: absolute; inset-inline-start: -99rem; }
.skip:focus { position: static; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.small, .nav, .footer, .label, .feeds, label, legend, input, select, button, .hint, .button, summary, .errors, .notice, .facts, .mails {
  font-family: var(--sans); font-size: .82rem; line-height: 1.5; letter-spacing: .02em; font-variant-numeric: lining-nums tabular-nums;
}
.small, .hint { color: var(--quiet); }
.plain { list-style: none; }

.masthead { display: grid; gap: .2rem var(--step); padding-block: calc(var(--step) * 1.5) var(--step); border-block-end: 4px double var(--accent); }
.masthead .name { font-size: clamp(2rem, 7vw, 2.7rem); font-weight: 700; line-height: 1.1; letter-spacing: -.01em; text-wrap: balance; overflow-wrap: anywhere; margin: 0; }
.masthead.brief { padding-block-start: var(--step); }
.masthead.brief .name { font-size: 1.5rem; }
.masthead a { text-decoration: none; }
.nav { border-block-end: 1px solid var(--rule); }
.nav ul { display: flex; flex-wrap: wrap; column-gap: .9rem; }
.nav a { display: inline-block; padding-block: .55rem; text-decoration: none; }
.nav [aria-current] { color: var(--accent); box-shadow: inset 0 -2px var(--accent); }
.main { padding-block: calc(var(--step) * 2) calc(var(--step) * 3); }
.footer { border-block-start: 1px solid var(--rule); padding-block: var(--step) calc(var(--step) * 2); display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; color: var(--quiet); }

.label { display: block; font-weight: 700; color: var(--ink); margin-block-end: var(--step); }
.title { font-size: clamp(1.5rem, 5vw, 2rem); }
.lead { margin-block-start: var(--step); max-inline-size: 36em; text-wrap: pretty; }
.stack > * + * { margin-block-start: calc(var(--step) * 2); }
.entry { padding-block: calc(var(--step) * 1.25); border-block-end: 1px solid var(--rule); }
.entry:first-child { padding-block-start: 0; }
.entry:last-child { border: 0; }
.entry h2, .entry h3 { font-size: 1.22rem; }
.entry.first :is(h2, h3) { font-size: clamp(1.5rem, 5vw, 2rem); }
.entry a { text-decoration: none; }
.entry a:hover { text-decoration: underline; text-decoration-thickness: 1px; }
.entry .small { margin-block: .35rem; }
.entry img { display: none; }
.summary { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; max-inline-size: 36em; }
.first .summary { -webkit-line-clamp: 4; line-clamp: 4; }

.facts { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .9rem; color: var(--quiet); margin-block-start: .6rem; }
.facts a, .errors a { display: inline-block; padding-block: .2rem; }
.body { margin-block: calc(var(--step) * 2); max-inline-size: 36em; text-wrap: pretty; }
:is(:lang(zh), :lang(ja), :lang(ko)).body { line-height: 1.8; }
.body > * + *, .body blockquote > * + * { margin-block-start: var(--step); }
.body li + li { margin-block-start: .35rem; }
.body :is(h1, h2) { font-size: 1.5rem; margin-block-start: calc(var(--step) * 2); }
.body :is(h3, h4, h5, h6) { font-size: 1.22rem; margin-block-start: calc(var(--step) * 2); }
.body :is(ul, ol) { padding-inline-start: 1.4em; }
.body blockquote { margin: var(--step) 0; padding-inline-start: 1.2rem; border-inline-start: 1px solid var(--ink); }
.body hr { border: 0; border-block-start: 1px solid var(--rule); margin-block: calc(var(--step) * 2); }
.body figcaption { font-family: var(--sans); font-size: .82rem; color: var(--quiet); }
.body :is(pre, code, kbd, samp) { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; font-size: .82em; font-variant-numeric: normal; }
pre { overflow-x: auto; margin: 0; padding: var(--step); border: 1px solid var(--rule); font-size: .82em; line-height: 1.5; }
code { overflow-wrap: anywhere; }
pre code { overflow-wrap: normal; }
.body pre { font-size: 1em; }
.body table { display: block; overflow-x: auto; border-collapse: collapse; font-variant-numeric: lining-nums tabular-nums; }
.body :is(th, td) { padding: .3rem .8rem .3rem 0; border-block-end: 1px solid var(--rule); vertical-align: top; }
.body th:not([align]) { text-align: start; }

.directory { columns: 14rem; column-gap: 1.6rem; margin-block: .4rem .6rem; }
.directory li { break-inside: avoid; padding-block: .3rem; display: flex; gap: .6rem; justify-content: space-between; align-items: baseline; border-block-end: 1px solid var(--rule); }
.directory a { text-decoration: none; overflow-wrap: anywhere; min-inline-size: 0; }
.directory a:hover { text-decoration: underline; }
.directory span { font-family: var(--sans); font-size: .82rem; font-variant-numeric: lining-nums tabular-nums; color: var(--quiet); }
.feeds { display: grid; gap: .6rem; }
.feeds dt { font-weight: 700; }
.address { display: block; font-family: ui-monospace, Menlo, Consolas, "Noto Sans Mono", monospace; letter-spacing: 0; overflow-wrap: anywhere; user-select: all; padding-block: .2rem; }
.feed { padding-block: var(--step); border-block-start: 1px solid var(--rule); }
.feed h2 { font-size: 1.22rem; }
.feed .feeds, aside .feeds { margin-block-start: var(--step); }
.feed h2 a { text-decoration: none; }
.feed h2 a:hover { text-decoration: underline; }
.formats { display: flex; flex-wrap: wrap; gap: 0 1.2rem; align-items: baseline; }
.formats a { padding-block: .3rem; }
.formats [aria-current] { color: var(--accent); text-decoration: none; }

.field { margin-block-start: calc(var(--step) * 1.5); border: 0; min-inline-size: 0; }
.panel .field { margin-block-start: var(--step); }
label, legend { display: block; font-weight: 700; padding: 0; }
input:not([type=radio], [type=checkbox], [type=hidden]), select {
  inline-size: 100%; min-block-size: 44px; padding: .4rem .6rem; margin-block-start: .25rem;
  border: 1px solid var(--ink); border-radius: 0; background: transparent; color: inherit; font-size: 1rem;
}
select option, select optgroup { background: var(--paper); color: var(--ink); }
.short { max-inline-size: 12rem; }
.choice { display: grid; grid-template-columns: auto 1fr; gap: .7rem; align-items: start; min-block-size: 44px; padding-block: .55rem; font-weight: 400; font-family: var(--serif); font-size: 1rem; letter-spacing: 0; border-block-end: 1px solid var(--rule); }
.choice input { inline-size: 1.15rem; block-size: 1.15rem; margin: 0; accent-color: var(--accent); }
.choice .hint { display: block; }
.choice:last-child { border: 0; }
.choices.many { columns: 15rem; column-gap: 1.6rem; }
.choices.many .choice { break-inside: avoid; }
.hint { margin-block-start: .3rem; }
.fault { color: var(--accent); font-weight: 700; font-family: var(--sans); font-size: .82rem; margin-block-start: .3rem; }
[aria-invalid]:not(:focus-visible) { outline: 1px solid var(--accent); border-color: var(--accent) !important; }
.errors, .notice { border: 1px solid var(--accent); padding: var(--step); margin-block-end: calc(var(--step) * 2); outline: 0; }
.errors { border-width: 2px; }
.errors h2 { font-size: 1rem; margin-block-end: .3rem; }
button, .button {
  display: inline-block; min-block-size: 44px; padding: .55rem 1.4rem; margin-block-start: calc(var(--step) * 1.5);
  border: 1px solid var(--accent); border-radius: 0; background: var(--accent); color: var(--paper); font-weight: 700; cursor: pointer; text-decoration: none; text-align: center;
}
button:hover, .button:hover { background: var(--ink); border-color: var(--ink); color: var(--paper); }
button.second { background: transparent; color: var(--ink); border-color: var(--ink); }
button.second:hover { color: var(--accent); border-color: var(--accent); background: transparent; }
details { margin-block-start: calc(var(--step) * 1.5); border-block: 1px solid var(--rule); }
summary { padding-block: .7rem; font-weight: 700; cursor: pointer; }
details + .hint { margin-block-start: var(--step); }
details > div { padding-block-end: var(--step); }
.section { border-block-start: 1px solid var(--rule); padding-block: calc(var(--step) * 1.5); }
.section > h2, .panel h2 { font-size: 1.22rem; }
.choice-list { margin-block: var(--step); border-block: 1px solid var(--rule); padding-block: var(--step); }
.mails li { padding-block: .7rem; border-block-end: 1px solid var(--rule); overflow-wrap: anywhere; }
.mails a { font-family: var(--serif); font-size: 1.22rem; letter-spacing: 0; line-height: 1.3; }
.frame { inline-size: 100%; block-size: 45rem; border: 1px solid var(--rule); background: var(--paper); }
.source { white-space: pre-wrap; overflow-wrap: anywhere; font: .82rem/1.5 ui-monospace, Menlo, Consolas, "Noto Sans Mono", "Noto Sans Mono CJK SC", monospace; }
.issue, .group { margin-block-start: calc(var(--step) * 2); }
.group { border-block-start: 1px solid var(--ink); padding-block-start: .6rem; }
.group a { text-decoration: none; }

@media (min-width: 640px) {
  .row { display: flex; justify-content: space-between; align-items: baseline; gap: 1.6rem; }
  .row .formats { flex: none; }
  .nav ul { column-gap: 1.6rem; }
  .masthead { grid-template-columns: 1fr auto; align-items: end; }
  .masthead .name, .masthead .tagline { grid-column: 1; }
  .masthead .dateline { grid-column: 2; grid-row: 1 / span 2; text-align: end; }
  .entry.pictured { display: grid; grid-template-columns: 1fr 10.5rem; column-gap: 1.6rem; align-items: start; }
  .entry.pictured img { display: block; inline-size: 100%; aspect-ratio: 3 / 2; object-fit: cover; }
  .entry.first.pictured { grid-template-columns: 1fr 15rem; }
}
@media (min-width: 960px) {
  .columns { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); column-gap: 4.8rem; }
  .columns > aside { position: relative; }
  .columns > aside::before { content: ""; position: absolute; inset-block: 0; inset-inline-start: -2.4rem; border-inline-start: 1px solid var(--rule); }
}
@media (max-width: 959px) { .columns > aside { margin-block-start: calc(var(--step) * 2); padding-block-start: calc(var(--step) * 2); border-block-start: 1px solid var(--ink); } }
@media (forced-colors: active) { button, .button { border: 1px solid ButtonText; } .nav [aria-current] { border-block-end: 2px solid; } }
@media print {
  html { font-size: 11pt; }
  .nav, .skip, form, .footer, .columns > aside { display: none; }
  .columns { display: block; }
  .body a[href^=http]::after { content: " <" attr(href) ">"; font-size: .82em; overflow-wrap: anywhere; }
  .entry, figure, img { break-inside: avoid; }
}
`
