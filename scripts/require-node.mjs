// Runs before the TypeScript scripts: an older Node could not even read them and would fail with a riddle.

const WANTED = { major: 24, minor: 15 }

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < WANTED.major || (major === WANTED.major && minor < WANTED.minor)) {
  process.stderr.write(
    `This needs Node ${WANTED.major}.${WANTED.minor} or newer, and this is ${process.version}.\n` +
      `Run it through npm ("npm test", "npm run check"), which puts the Node that "npm ci" brought first on the PATH.\n` +
      `If npm itself got here, the install script of the devDependency "node" did not run: npm rebuild node\n`,
  )
  process.exit(1)
}
