// Our files for PocketBase: `pocketbase/` of this package, with migrations, hooks and the source of the build.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder lies as deep under `server/` as under `dist/`. */
export const ASSETS_DIR = fileURLToPath(new URL('../../../pocketbase', import.meta.url))

/** Flags that point PocketBase at the migrations and hooks of `assetsDir`. */
export function assetFlags(assetsDir: string): readonly string[] {
  return [`--migrationsDir=${join(assetsDir, 'pb_migrations')}`, `--hooksDir=${join(assetsDir, 'pb_hooks')}`]
}

/** Whether a PocketBase started with these assets must have our routes. */
export function hasHooks(assetsDir: string): boolean {
  return existsSync(join(assetsDir, 'pb_hooks', 'bootstrap.pb.js'))
}
