/**
 * Colours of the page; the publisher chooses only the accent. `hairline` is 14 % ink on paper, as a
 * colour that every mail program knows.
 */
export const colours = {
  light: {
    paper: '#fbfaf7',
    ink: '#1b1a17',
    quiet: '#4a4741',
    hairline: '#dcdad7',
    accent: '#a6271c',
  },
  dark: {
    paper: '#171614',
    ink: '#e9e6df',
    quiet: '#bdb9b0',
    hairline: '#343331',
    accent: '#ef8b7f',
  },
} as const

/** Text in the accent and text on it must be readable; WCAG 2.2 asks for 4.5:1. */
const minimum = 4.6

/**
 * The publisher's accent for a scheme, moved towards ink until it can be read on the paper and the
 * paper on it: a chosen yellow darkens instead of becoming an invisible button.
 */
export function accentFor(scheme: 'light' | 'dark', chosen: string | undefined): string {
  const { paper, ink, accent } = colours[scheme]
  if (!chosen || !/^#[0-9a-f]{6}$/i.test(chosen)) return accent
  for (let step = 0; step <= 20; step++) {
    const mixed = mix(chosen, ink, step / 20)
    if (contrast(mixed, paper) >= minimum) return mixed
  }
  return ink
}

/** The contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, relative luminance). */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const c = value / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mix(from: string, to: string, share: number): string {
  const target = channels(to)
  const mixed = channels(from).map((value, i) =>
    Math.round(value + ((target[i] ?? 0) - value) * share),
  )
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
}
