/** What a key may be allowed to do. */
export const scopes = [
  'posts:read',
  'posts:write',
  'readers:read',
  'readers:write',
  'runs:read',
  'runs:write',
  'admin',
] as const
export type Scope = (typeof scopes)[number]
