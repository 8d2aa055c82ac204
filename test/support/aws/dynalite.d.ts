/** dynalite ships no types; this is what the test servers use of it. */
declare module 'dynalite' {
  import type { Server } from 'node:http'
  export default function dynalite(options?: {
    createTableMs?: number
    updateTableMs?: number
    deleteTableMs?: number
  }): Server
}
