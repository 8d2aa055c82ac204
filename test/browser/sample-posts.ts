import type { Post } from '../../functions/posts/post.ts'
import type { SampleLocale } from './sample-pages.ts'

export const sampleSites = {
  en: {
    title: 'The Harbour Ledger',
    description: 'News from the docks, the council and the tide tables.',
    language: 'en-GB',
    timeZone: 'Europe/London',
    postalAddress: '1 Quay Street\nPorthaven',
  },
  de: {
    title: 'Der Deichbote',
    description: 'Nachrichten von Hafen, Rat und Gezeiten.',
    language: 'de',
    timeZone: 'Europe/Berlin',
    postalAddress: 'Am Kai 1\n26000 Deichhafen',
  },
  'zh-CN': {
    title: '江畔晨报',
    description: '码头、街巷与潮汐的消息。',
    language: 'zh-CN',
    timeZone: 'Asia/Shanghai',
    postalAddress: '滨江路 1 号',
  },
} as const

export function sampleCategories(locale: SampleLocale) {
  const titles = {
    en: ['Harbour', 'Council', 'Weather and tides', 'Letters', 'Books', 'Notices'],
    de: ['Hafen', 'Stadtrat', 'Wetter und Gezeiten', 'Leserbriefe', 'Bücher', 'Bekanntmachungen'],
    'zh-CN': ['码头', '市政', '天气与潮汐', '来信', '书评', '公告'],
  }[locale]
  return titles.map((title, i) => ({
    slug: `c${i}`,
    title,
    posts: [128, 64, 1024, 9, 33, 2][i] ?? 0,
  }))
}

const texts: Record<SampleLocale, [string, string][]> = {
  en: [
    [
      'Ferry to the outer islands will sail through the winter for the first time in forty years',
      'The council has voted seven to four to keep the Saturday boat running from October to March. Islanders had asked for it since the lighthouse lost its keeper; the harbour master says the new breakwater makes it safe in all but the worst weather.',
    ],
    [
      'After eleven meetings, two resignations and a flood, the reading room on Chandler Street opens its doors to every one of us',
      'Four thousand books were carried out by hand on the night of the flood. All but sixty came back dry.',
    ],
    ['High water on Sunday', ''],
    [
      'What a tide table cannot tell you',
      'Predictions come from the moon and the sun; the wind does as it likes. A pilot of thirty years on the half metre that no table has.',
    ],
    [
      'The baker who counts in twelves',
      'Thirteen loaves to the dozen, and nobody remembers why. A short history of generosity under threat of fines.',
    ],
    [
      'Minutes of the meeting of 24 February',
      'Present: nine. Apologies: two. Item one, the clock: it will be mended.',
    ],
    [
      'A letter about gulls',
      'Sir, I have counted them. There are more of them than of us, and they vote with their feet.',
    ],
  ],
  de: [
    [
      'Fähre zu den Außeninseln fährt erstmals seit vierzig Jahren auch im Winter',
      'Mit sieben zu vier Stimmen hat der Rat beschlossen, das Samstagsschiff von Oktober bis März fahren zu lassen. Die Insulaner hatten darum gebeten, seit der Leuchtturm keinen Wärter mehr hat; der Hafenmeister hält die Fahrt dank der neuen Mole für sicher.',
    ],
    [
      'Nach elf Sitzungen, zwei Rücktritten und einer Sturmflut öffnet die Bücherhalle in der Seilerstraße ihre Türen für alle',
      'Viertausend Bücher wurden in der Nacht der Flut von Hand hinausgetragen. Bis auf sechzig kamen alle trocken zurück.',
    ],
    ['Hochwasser am Sonntag', ''],
    [
      'Was in keiner Gezeitentafel steht',
      'Die Vorhersage kommt von Mond und Sonne; der Wind macht, was er will. Ein Lotse über den halben Meter, den keine Tafel kennt.',
    ],
    [
      'Hafengeburtstagsvorbereitungsausschuss tagt öffentlich',
      'Wer mitreden möchte, bringt einen Stuhl mit. Die Donaudampfschifffahrtsgesellschaft hat abgesagt.',
    ],
    [
      'Protokoll der Sitzung vom 24. Februar',
      'Anwesend: neun. Entschuldigt: zwei. Punkt eins, die Uhr: Sie wird repariert.',
    ],
    [
      'Ein Brief über Möwen',
      'Ich habe sie gezählt. Es sind mehr als wir, und sie stimmen mit den Füßen ab.',
    ],
  ],
  'zh-CN': [
    [
      '四十年来首次，外岛渡轮今冬将不停航',
      '市议会以七票对四票通过，周六的班船从十月到次年三月继续开行。自从灯塔不再有人看守，岛上居民一直盼着这一天；港务长说，新修的防波堤让航行在绝大多数天气里都很安全。',
    ],
    [
      '开了十一次会、两人辞职、又经历一场洪水之后，缆绳街的阅览室终于向所有市民敞开大门，四千册图书也已全部重新上架',
      '洪水来的那一夜，四千本书靠人手一本一本搬了出去。除了六十本，其余的都干干爽爽地回来了。',
    ],
    ['周日有大潮', ''],
    [
      '潮汐表没有告诉你的事',
      '预报来自月亮和太阳，而风总是自行其是。一位三十年的引航员，谈谈任何表里都没有的那半米。',
    ],
    ['按“打”数面包的师傅', '一打十三个，谁也不记得为什么。这是一段在罚款威胁之下慷慨起来的小史。'],
    ['二月二十四日会议纪要', '出席九人，请假两人。第一项，钟楼的钟：将予修理。'],
    ['关于海鸥的一封来信', '编辑先生：我数过了，它们比我们多，而且来去自由。'],
  ],
}

/** Posts as a paper has them: a headline of 120 characters, one without a summary, one in Japanese. */
export function samplePosts(locale: SampleLocale): Post[] {
  const posts = texts[locale].map(([title, summary], i): Post => {
    const published = `2026-03-0${Math.max(1, 2 - i)}T0${7 - i}:30:00Z`
    return {
      id: `000000000000000${i}`,
      entryId: `tag:news.example,2026:${i}`,
      slug: `post-${i}`,
      title,
      published,
      updated: i === 0 ? '2026-03-04T09:00:00Z' : published,
      categories: i % 3 === 0 ? [`c${i % 6}`, 'c1'] : [`c${i % 6}`],
      tags: [],
      authors: i % 2 === 0 ? ['Ada Marsh'] : [],
      summary,
      ...(i === 0 || i === 4
        ? { image: { url: '/picture.svg', width: 1200, height: 800, alt: title } }
        : {}),
      enclosures:
        i === 0
          ? [{ url: 'https://example.org/tide-table.pdf', type: 'application/pdf', length: 1 }]
          : [],
      state: 'visible',
      again: 0,
      mailed: true,
      firstSeen: published,
      revision: `r${i}`,
      sourceHash: `s${i}`,
      sourceType: 'text/markdown',
    }
  })
  const japanese: Post = {
    ...(posts[3] as Post),
    id: '00000000000000ja',
    slug: '港の朝',
    title: '港の朝、直角に曲がる骨の道を歩く',
    summary:
      '霧が晴れると、桟橋の向こうに島が見えた。写真家が三十年のあいだ撮り続けた、同じ時刻の同じ海。',
    language: 'ja',
  }
  return [...posts.slice(0, 5), japanese, ...posts.slice(5)]
}
