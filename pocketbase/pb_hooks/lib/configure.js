// Environment → settings, token life and superuser. Saves only what differs.

const env = (name) => $os.getenv(name)

module.exports = {
  configure(app) {
    configureSettings(app)
    configureTokenLife(app)
    configureSuperuser(app)
  },
}

function configureSettings(app) {
  const settings = app.settings()
  const changes = [
    // a final slash would give "//verify-email" in mails
    set(settings.meta, 'appURL', env('PB_APP_URL').replace(/\/+$/, '')),
    set(settings.meta, 'appName', env('PB_APP_NAME')),
    set(settings.meta, 'senderName', env('PB_SENDER_NAME') || env('PB_APP_NAME')),
    set(settings.meta, 'senderAddress', env('PB_SENDER_ADDRESS')),
    configureProxy(settings),
    configureSmtp(settings),
  ]
  if (changes.some((changed) => changed)) app.save(settings)
}

// The session server overwrites this header with the browser's address on every request.
function configureProxy(settings) {
  const header = env('PB_TRUSTED_HEADER')
  if (!header || (settings.trustedProxy.headers.length === 1 && settings.trustedProxy.headers[0] === header))
    return false
  settings.trustedProxy.headers = [header]
  settings.trustedProxy.useLeftmostIP = false
  return true
}

function configureSmtp(settings) {
  const smtp = settings.smtp
  const host = env('PB_SMTP_HOST')
  if (!host) {
    const off = env('PB_MAIL_DIR') !== '' && smtp.enabled
    if (off) smtp.enabled = false
    return off
  }
  return [
    set(smtp, 'enabled', true),
    set(smtp, 'host', host),
    set(smtp, 'port', parseInt(env('PB_SMTP_PORT') || '587', 10)),
    assign(smtp, 'username', env('PB_SMTP_USERNAME')),
    assign(smtp, 'password', env('PB_SMTP_PASSWORD')),
    assign(smtp, 'tls', env('PB_SMTP_TLS') === '1'),
  ].some((changed) => changed)
}

// Only the duration: a save of the collection draws no new secrets, so everybody stays signed in.
function configureTokenLife(app) {
  const seconds = parseInt(env('PB_AUTH_TOKEN_SECONDS') || '0', 10)
  if (seconds <= 0) return
  const users = app.findCollectionByNameOrId('users')
  if (set(users.authToken, 'duration', seconds)) app.save(users)
}

// Made in here, since an argument of a command stands in the list of processes.
function configureSuperuser(app) {
  const email = env('PB_SUPERUSER_EMAIL')
  const password = env('PB_SUPERUSER_PASSWORD')
  if (!email || !password) return
  let record
  try {
    record = app.findAuthRecordByEmail('_superusers', email)
  } catch (_) {
    record = new Record(app.findCollectionByNameOrId('_superusers')) // not found is an error in this API
    record.setEmail(email)
  }
  if (!record.isNew() && record.validatePassword(password)) return
  record.setPassword(password)
  app.save(record)
}

/** Like assign, but an empty value leaves the setting alone. */
function set(target, key, value) {
  return value !== '' && assign(target, key, value)
}

function assign(target, key, value) {
  if (target[key] === value) return false
  target[key] = value
  return true
}
