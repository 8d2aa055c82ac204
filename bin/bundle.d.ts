import type { BuildOptions, Metafile } from 'esbuild'

export declare const root: string
export declare const esbuildOptions: BuildOptions
export declare function bundle(entry: string): Promise<string>
export declare function buildPackage(): Promise<void>
export declare function buildDoorway(name: string, outdir: string): Metafile
