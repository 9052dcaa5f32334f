/// <reference path="../pb_data/types.d.ts" />

// Settings that follow from the session server's configuration are set at every start, from the environment.
// A variable that is not set leaves its setting alone, so these hooks also work in a PocketBase of one's own.
onBootstrap((e) => {
  e.next()
  if ($os.args.indexOf('serve') < 0) return // a command such as `migrate down` must not be undone here
  e.app.runAllMigrations() // `serve` does it after this hook, which needs the collections
  require(`${__hooks}/lib/configure.js`).configure(e.app)
})
