/// <reference path="../pb_data/types.d.ts" />

// Routes for the session server.

// "Sign out all other devices": a new token key ends all tokens of the caller, who gets a fresh one.
routerAdd(
  'POST',
  '/api/session/rotate-tokens',
  (e) => {
    const record = e.auth
    record.refreshTokenKey()
    e.app.save(record)
    return $apis.recordAuthResponse(e, record, '')
  },
  $apis.requireAuth('users'),
)

// Finds users by a part of their e-mail address. A filter on the collection cannot: it skips hidden addresses.
routerAdd(
  'GET',
  '/api/session/users',
  (e) => {
    if (e.auth.getString('role') !== 'admin') {
      throw new ForbiddenError('Only an admin may search for users.')
    }
    const query = e.request.url.query().get('query').slice(0, 200)
    const records = e.app.findRecordsByFilter('users', 'email ~ {:query}', 'email', 20, 0, { query: query })
    $apis.enrichRecords(e, records)
    return e.json(200, { items: records })
  },
  $apis.requireAuth('users'),
)

// What the session server checks when it starts. Holds nothing secret: anyone may ask.
routerAdd('GET', '/api/session/report', (e) => {
  return e.json(200, require(`${__hooks}/lib/report.js`).report(e))
})
