import type { BuildOptions, Metafile } from 'esbuild'

export declare const root: string
export declare const esbuildOptions: BuildOptions
export declare function bundle(entry: string): Promise<string>
export declare function buildPackage(): Promise<void>
export type DoorwayName = 'web' | 'jobs' | 'clock' | 'feedback'
export declare const doorwayNames: readonly DoorwayName[]
export declare function buildDoorway(name: DoorwayName, outdir: string): Metafile
