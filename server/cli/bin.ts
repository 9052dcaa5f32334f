#!/usr/bin/env node
// The entry of the command. It looks at Node's version before it loads anything: an older one would fail with a riddle.

import { isNodeNewEnough, WANTED_NODE } from './node-version.ts'

if (isNodeNewEnough(process.versions.node)) {
  void import('./main.ts').then(({ runFromProcess }) => runFromProcess())
} else {
  process.stderr.write(`pocketbase-session needs Node ${WANTED_NODE} or newer; this is ${process.versions.node}.\n`)
  process.exitCode = 1
}
