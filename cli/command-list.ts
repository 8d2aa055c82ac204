import type { Command } from 'commander'

/** A command as `--help` lists it; its file is loaded only when it runs. */
interface Listed {
  name: string
  summary: string
  load(): Promise<{ define(command: Command): void }>
}

/** Every command, in the order of `--help`: what one does first stands first. */
export const commandList: readonly Listed[] = [
  {
    name: 'start',
    summary: 'run the whole service here: server, worker and clock in one process',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'publish',
    summary: 'publish or edit posts',
    load: () => import('./commands/publish.ts'),
  },
  {
    name: 'import',
    summary: 'take in a folder of posts (Jekyll, Hugo, Zola, Eleventy, Pelican …) or NDJSON',
    load: () => import('./commands/import.ts'),
  },
  {
    name: 'withdraw',
    summary: 'take a post back everywhere',
    load: () => import('./commands/withdraw.ts'),
  },
  { name: 'posts', summary: 'list the posts', load: () => import('./commands/posts.ts') },
  {
    name: 'categories',
    summary: 'list the categories',
    load: () => import('./commands/categories.ts'),
  },
  {
    name: 'feeds',
    summary: 'render feeds and pages again',
    load: () => import('./commands/feeds.ts'),
  },
  {
    name: 'subscribers',
    summary: 'import, export, show or erase readers',
    load: () => import('./commands/subscribers.ts'),
  },
  {
    name: 'digest',
    summary: 'show what would be mailed',
    load: () => import('./commands/digest.ts'),
  },
  {
    name: 'runs',
    summary: 'list runs with their books; show, retry, approve, pause or resume them',
    load: () => import('./commands/runs.ts'),
  },
  {
    name: 'tick',
    summary: 'do now all that is due, and end',
    load: () => import('./commands/tick.ts'),
  },
  {
    name: 'keys',
    summary: 'list, make or revoke API keys; renew the keys of links',
    load: () => import('./commands/keys.ts'),
  },
  {
    name: 'doctor',
    summary: 'check the configuration and say what to do',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'smoke',
    summary: 'try a stack on AWS end to end',
    load: () => import('./commands/smoke.ts'),
  },
  {
    name: 'backup',
    summary: 'copy the data folder safely, also while the server runs; or a stack on AWS',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'restore',
    summary: 'put a backup into an empty data folder, or into a stack on AWS',
    load: () => import('./commands/restore.ts'),
  },
]
