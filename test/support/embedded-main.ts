// A server of the test that starts PocketBase by itself: what is killed with -9 must be a process of its own.
// Prints one line of JSON when it is ready or refused; ends cleanly on SIGTERM.

import { ConfigError } from '../../server/errors.ts'
import { startEmbedded } from '../../server/pocketbase/launcher/embedded.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

async function main(dataDir: string): Promise<void> {
  try {
    const embedded = await startEmbedded({
      dataDir,
      appUrl: 'http://localhost:3000',
      logger,
      bin: process.env['POCKETBASE_BIN'] ?? null,
    })
    process.once('SIGTERM', () => void embedded.stop())
    tell({ url: embedded.url, pocketbasePid: embedded.pid() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    tell({ refused: error.problems })
  }
}

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

await main(process.argv[2] ?? '')
