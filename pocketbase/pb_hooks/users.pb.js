/// <reference path="../pb_data/types.d.ts" />

// What holds for every user, whichever way the account came into being.

onRecordCreate((e) => {
  if (!e.record.getString('role')) {
    e.record.set('role', 'user')
  }
  e.next()
}, 'users')

// User and profile in one transaction: both exist or neither does.
// The request body may hold  "profile": { "displayName": "...", "bio": "..." }.
onRecordCreateRequest((e) => {
  const profiles = require(`${__hooks}/lib/profiles.js`)
  const fields = profiles.fromRequest(e)

  const app = e.app
  try {
    app.runInTransaction((transaction) => {
      e.app = transaction
      e.next() // checks and saves the user; the answer is written after the commit
      profiles.create(transaction, e.record, fields)
    })
  } finally {
    e.app = app
  }
}, 'users')

// E-mail addresses are hidden from other users; an admin sees them.
onRecordEnrich((e) => {
  const auth = e.requestInfo ? e.requestInfo.auth : null
  if (auth && auth.collection().name === 'users' && auth.getString('role') === 'admin') {
    e.record.ignoreEmailVisibility(true)
  }
  e.next()
}, 'users')
