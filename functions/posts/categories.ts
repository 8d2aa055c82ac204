import { createHash } from 'node:crypto'
import { allRecords } from '../all-records.ts'
import { everything, recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { countDated } from './date-index.ts'
import type { MailMode, Post } from './post.ts'
import { slugify } from './slug.ts'

/** A category as the world sees it. */
export interface Category {
  slug: string
  title: string
  description?: string
  mail?: MailMode
  /** Visible posts in it. */
  posts: number
}

/** What is stored of a category. */
interface CategoryRecord {
  slug: string
  /** The first name it was used under, as written. */
  name: string
  /** The tag of its first post with exactly one category and one tag. */
  title?: string
  /** A visible post has been in it. Until then it is not shown: a draft gives nothing away. */
  used?: boolean
}

/** Taken by addresses below `/feeds/`. */
const reserved: ReadonlySet<string> = new Set(['history'])

/** Above so many categories of one slug, a hash ends the search for the next free number. */
const mostNumbered = 50

/**
 * The slug of each name (or slug), as written in posts; unknown ones are made, in order of first
 * use. Names that differ in case or kind of blank only are one category; names that are different
 * but have one slug (`C`, `C++`) get `-2`, `-3`. What is a category's slug, letter by letter, is that
 * category. Repeatable, also after a crash or beside a racer.
 */
export async function resolveCategories(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  names: readonly string[],
  {
    make = true,
  }: { /** Without it, unknown names get the slug that they would ask for. */ make?: boolean } = {},
): Promise<Map<string, string>> {
  const slugs = new Map<string, string>()
  const unknown: string[] = []
  for (const name of new Set(names)) {
    const configured = configuredSlug(settings, name)
    if (configured === undefined) unknown.push(name)
    else slugs.set(name, configured)
  }
  const [byName, bySlug] = await Promise.all([
    records.getMany<{ slug: string }>(unknown.map((name) => recordKeys.categoryName(fold(name)))),
    records.getMany<CategoryRecord>(unknown.map((name) => recordKeys.category(name))),
  ])
  for (const [i, name] of unknown.entries()) {
    // A slug written exactly means its category, also where a name beside it folds to the same.
    const known =
      (slugify(name) === name ? bySlug[i]?.value.slug : undefined) ?? byName[i]?.value.slug
    // One after the other: the order of first use decides who gets the bare slug.
    const slug = known ?? (make ? await makeCategory({ records, settings }, name) : baseSlug(name))
    slugs.set(name, currentSlug(settings, slug))
  }
  return slugs
}

/**
 * Notes that visible posts are in their categories, and what gives a category its title. Repeatable;
 * one read when there is nothing new.
 */
export async function noteCategoryUse(
  { records }: Pick<Platform, 'records'>,
  posts: readonly Pick<Post, 'categories' | 'tags'>[],
): Promise<void> {
  const titles = new Map<string, string | undefined>()
  for (const { categories, tags } of posts) {
    const title = categories.length === 1 && tags.length === 1 ? tags[0] : undefined
    for (const slug of categories) titles.set(slug, titles.get(slug) ?? title)
  }
  const slugs = [...titles.keys()]
  const found = await records.getMany<CategoryRecord>(slugs.map(recordKeys.category))
  await Promise.all(
    slugs.map(async (slug, i) => {
      const title = titles.get(slug)
      let record = found[i]
      while (!record?.value.used || (title !== undefined && record.value.title === undefined)) {
        const value: CategoryRecord = { slug, name: slug, ...record?.value, used: true }
        if (title !== undefined) value.title ??= title
        const outcome = await records.put(
          { ...recordKeys.category(slug), value },
          record ? { ifVersion: record.version } : { ifAbsent: true },
        )
        if (outcome.status === 'stored') return
        record = await records.get<CategoryRecord>(recordKeys.category(slug))
      }
    }),
  )
}

/** The titles of all categories, by slug. */
export async function categoryTitles(
  platform: Pick<Platform, 'records' | 'settings'>,
): Promise<ReadonlyMap<string, string>> {
  const categories = await listCategories(platform)
  return new Map(categories.map(({ slug, title }) => [slug, title]))
}

/** Those of `broadsheet.yaml` in its order, then every other that a visible post has been in, by slug. */
export async function listCategories({
  records,
  settings,
}: Pick<Platform, 'records' | 'settings'>): Promise<Category[]> {
  const stored = new Map<string, CategoryRecord>()
  const rows = allRecords<CategoryRecord>({ records }, recordKeys.categories)
  for await (const { sort, value } of rows) stored.set(sort, value)
  const counts = await countDated({ records })
  const others = [...stored.values()].filter(
    ({ slug, used }) =>
      used && currentSlug(settings, slug) === slug && !ownSettings(settings, slug),
  )
  return [...Object.keys(settings.categories), ...others.map(({ slug }) => slug)].map((slug) =>
    asCategory(settings, slug, stored.get(slug), counts.get(slug) ?? 0),
  )
}

/** One category by its slug, or `undefined` when no visible post has been in it and no setting names it. */
export async function getCategory(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  slug: string,
): Promise<Category | undefined> {
  if (slug === '' || slug === everything || Buffer.byteLength(slug) > 1000) return undefined
  const [record, count] = await records.getMany<CategoryRecord & { count: number }>([
    recordKeys.category(slug),
    recordKeys.categoryCount(slug),
  ])
  if (!record?.value.used && !ownSettings(settings, slug)) return undefined
  return asCategory(settings, slug, record?.value, Math.max(0, count?.value.count ?? 0))
}

/** Where a category has gone that `broadsheet.yaml` renamed; else the slug itself. */
export function currentSlug(settings: Pick<Settings, 'categories'>, slug: string): string {
  if (ownSettings(settings, slug)) return slug
  const renamed = Object.entries(settings.categories).find(([, category]) =>
    category.renamedFrom?.includes(slug),
  )
  return renamed?.[0] ?? slug
}

/** What `broadsheet.yaml` says of a category; never a member that every object has. */
export function ownSettings(settings: Pick<Settings, 'categories'>, slug: string) {
  return Object.hasOwn(settings.categories, slug) ? settings.categories[slug] : undefined
}

function asCategory(
  settings: Settings,
  slug: string,
  record: CategoryRecord | undefined,
  posts: number,
): Category {
  const own = ownSettings(settings, slug)
  const name = record?.name ?? slug
  return {
    slug,
    title: own?.title ?? record?.title ?? (slugify(name) === name ? slug : name),
    ...(own?.description === undefined ? {} : { description: own.description }),
    ...(own?.mail === undefined ? {} : { mail: own.mail }),
    posts,
  }
}

function configuredSlug(settings: Settings, name: string): string | undefined {
  if (ownSettings(settings, name)) return name
  for (const [slug, { title, renamedFrom }] of Object.entries(settings.categories)) {
    if (fold(name) === fold(title ?? slug) || fold(name) === fold(slug)) return slug
    if (renamedFrom?.includes(name) || renamedFrom?.includes(fold(name))) return slug
  }
  return undefined
}

async function makeCategory(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  name: string,
): Promise<string> {
  const slug = await claimSlug({ records, settings }, name)
  const key = recordKeys.categoryName(fold(name))
  const outcome = await records.put({ ...key, value: { slug } }, { ifAbsent: true })
  if (outcome.status === 'stored' || slug === name) return slug
  return (await records.get<{ slug: string }>(key))?.value.slug ?? slug
}

async function claimSlug(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  name: string,
): Promise<string> {
  const base = baseSlug(name)
  for (let number = 1; ; number++) {
    const slug =
      number === 1
        ? base
        : `${base}-${number <= mostNumbered ? number : hashOf(`${number}${name}`)}`
    // What the settings know means what they say: written as a category, it would lead elsewhere.
    if (reserved.has(slug) || configuredSlug(settings, slug) !== undefined) continue
    const value: CategoryRecord = { slug, name }
    const outcome = await records.put({ ...recordKeys.category(slug), value }, { ifAbsent: true })
    if (outcome.status === 'stored') return slug
    const holder: StoredRecord<CategoryRecord> | undefined = await records.get(
      recordKeys.category(slug),
    )
    if (slug === name || (holder && fold(holder.value.name) === fold(name))) return slug
  }
}

function baseSlug(name: string): string {
  return slugify(name) || `category-${hashOf(name)}`
}

/** What makes two written names one category. */
function fold(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .trim()
    .replace(/[\s_-]+/g, '-')
}

function hashOf(text: string) {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
