/// <reference path="../pb_data/types.d.ts" />

// Without a mail server, mails become files that a mail program can open.
onMailerSend((e) => {
  const folder = $os.getenv('PB_MAIL_DIR')
  if (!folder || e.app.settings().smtp.enabled) {
    e.next()
    return
  }
  const { fileName, source } = require(`${__hooks}/lib/eml.js`).compose(e.message)
  $os.mkdirAll(folder, 0o700)
  // under another name first: whoever watches the folder never reads half a mail
  const path = $filepath.join(folder, fileName)
  $os.writeFile(`${path}.tmp`, source, 0o600) // it holds a token
  $os.rename(`${path}.tmp`, path)
})
