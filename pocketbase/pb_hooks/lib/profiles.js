// The profile of a new user.

// What may be set at registration: the hook writes past the rules of the collection, so this list is the rule.
const FIELDS = ['displayName', 'bio']

module.exports = {
  /** The profile fields of a request that creates a user. */
  fromRequest(e) {
    const info = e.requestInfo()
    const input = parse(info.body['profile'])
    const fields = {}
    for (const name of FIELDS) {
      if (input[name] !== undefined) fields[name] = input[name]
    }
    const noForm = info.body['profile'] === undefined || info.context === 'oauth2' || e.hasSuperuserAuth()
    if (fields.displayName === undefined && noForm) {
      // nobody was asked: take what the provider or the dashboard gave
      fields.displayName = e.record.getString('name') || e.record.email().split('@')[0].slice(0, 80)
    }
    return fields
  },

  /** Throws the profile's field errors under "profile": otherwise they would look like the user's. */
  create(app, user, fields) {
    const profile = new Record(app.findCollectionByNameOrId('profiles'))
    profile.set('user', user.id)
    for (const name in fields) profile.set(name, fields[name])
    try {
      app.save(profile)
    } catch (err) {
      throw new BadRequestError('Failed to create record.', { profile: err.value || err })
    }
  },
}

function parse(input) {
  if (input === undefined || input === null || input === '') return {}
  // a multipart form holds it as a JSON string
  const value = typeof input === 'string' ? parseJson(input) : input
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse()
  return value
}

function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch (_) {
    return refuse()
  }
}

function refuse() {
  throw new BadRequestError('Failed to create record.', {
    profile: new ValidationError('validation_invalid_profile', 'Must be a JSON object.'),
  })
}
