// What the session server wants to know of this PocketBase.

module.exports = {
  report(e) {
    const users = e.app.findCollectionByNameOrId('users')
    return {
      version: version(e.app),
      tokenSeconds: users.authToken.duration,
      seenIp: e.realIP(),
      profiles: has(e.app, 'profiles'),
      roles: !!users.fields.getByName('role'),
    }
  },
}

// Hooks are not told the version; the executable is asked once.
function version(app) {
  return app.store().getOrSet('sessionReportVersion', () => {
    try {
      const text = toString($os.cmd($os.args[0], '--version').output())
      const found = /(\d+\.\d+\.\d+\S*)/.exec(text)
      return found ? found[1] : null
    } catch (_) {
      return null // started by a relative path from another folder
    }
  })
}

function has(app, collection) {
  try {
    app.findCollectionByNameOrId(collection)
    return true
  } catch (_) {
    return false // not found is an error in this API
  }
}
