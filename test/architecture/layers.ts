// The layers of server/, inner to outer, and what each may import. docs/architecture.md shows the same as a picture.

import { isIn } from './sources.ts'

export interface Layer {
  readonly name: string
  readonly places: readonly string[]
  /** Layers that it may import beside itself. */
  readonly uses: readonly string[]
  /** Layers of which it may know the types only. */
  readonly types?: readonly string[]
}

const DOMAIN = ['lib', 'shared', 'sessions', 'pocketbase', 'identity'] as const

/** The first layer that holds a file is its layer; what stands in server/ itself and is named nowhere is shared. */
export const LAYERS: readonly Layer[] = [
  { name: 'lib', places: ['server/lib'], uses: [] },
  { name: 'sessions', places: ['server/sessions'], uses: ['lib', 'shared'] },
  { name: 'stores', places: ['server/stores'], uses: ['lib', 'shared', 'sessions'] },
  { name: 'testing', places: ['server/testing', 'server/testing.ts'], uses: ['lib', 'shared', 'sessions', 'stores'] },
  { name: 'pocketbase', places: ['server/pocketbase'], uses: ['lib', 'shared'] },
  {
    name: 'identity',
    places: ['server/identity', 'server/identity.ts', 'server/services.ts'],
    uses: DOMAIN,
    types: ['middleware'],
  },
  { name: 'middleware', places: ['server/middleware'], uses: DOMAIN },
  { name: 'controllers', places: ['server/controllers'], uses: [...DOMAIN, 'middleware'] },
  { name: 'views', places: ['server/views'], uses: ['lib', 'shared'], types: ['sessions'] },
  { name: 'routes', places: ['server/routes'], uses: [...DOMAIN, 'middleware', 'controllers', 'views'] },
  { name: 'cli', places: ['server/cli'], uses: [...DOMAIN, 'stores', 'assembly'] },
  {
    name: 'assembly',
    places: [
      'server/index.ts',
      'server/app.ts',
      'server/create-auth.ts',
      'server/create-services.ts',
      'server/check-at-start.ts',
    ],
    uses: [...DOMAIN, 'stores', 'middleware', 'routes', 'views', 'controllers'],
  },
  { name: 'shared', places: ['server'], uses: ['lib'], types: ['sessions'] },
]

export function layerOf(path: string): Layer {
  const layer = LAYERS.find(({ places }) => isIn(path, places))
  if (layer === undefined) throw new Error(`${path} is not in server/`)
  return layer
}
