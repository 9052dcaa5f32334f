// A mail as an RFC 5322 file. The body stays 8 bit, so that the link in it can be copied from a text editor.

module.exports = {
  compose(message) {
    const now = new Date()
    const boundary = `=_${$security.randomString(24)}`
    const lines = [
      `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
      `From: ${address(message.from)}`,
      `To: ${addresses(message.to)}`,
      ...(message.cc && message.cc.length > 0 ? [`Cc: ${addresses(message.cc)}`] : []),
      `Subject: ${encodeWord(message.subject)}`,
      `Message-ID: <${$security.randomString(20)}@${message.from.address.split('@')[1] || 'localhost'}>`,
      'MIME-Version: 1.0',
      `Content-Type: multipart/alternative; boundary="${boundary}"`,
      '',
      ...part(boundary, 'text/plain', message.text || plainText(message.html)),
      ...part(boundary, 'text/html', message.html),
      `--${boundary}--`,
      '',
    ]
    const to = message.to.length > 0 ? message.to[0].address : ''
    return {
      fileName: `${now.toISOString().replace(/[:.]/g, '-')}-${fileNamePart(to)}-${$security.randomString(4)}.eml`,
      source: lines.join('\r\n'),
    }
  },
}

function part(boundary, type, body) {
  return [
    `--${boundary}`,
    `Content-Type: ${type}; charset=utf-8`,
    'Content-Transfer-Encoding: 8bit',
    '',
    body.replace(/\r?\n/g, '\r\n'),
  ]
}

function addresses(list) {
  return list.map(address).join(', ')
}

function address(who) {
  const mailbox = headerSafe(who.address)
  return who.name ? `${encodeWord(who.name, true)} <${mailbox}>` : mailbox
}

// RFC 2047 "Q": words of at most 75 characters, folded. `phrase`: a name with specials is encoded too.
function encodeWord(text, phrase) {
  const plain = phrase ? /^[A-Za-z0-9 ]*$/ : /^[\x20-\x7e]*$/
  if (plain.test(text)) return text
  const words = ['']
  for (const character of text) {
    const encoded = encodeURIComponent(character)
      .replace(/%/g, '=')
      .replace(/[_.!~*'()]/g, hex)
    if (words[words.length - 1].length + encoded.length > 60) words.push('')
    words[words.length - 1] += encoded
  }
  return words.map((word) => `=?utf-8?Q?${word}?=`).join('\r\n ')
}

function hex(character) {
  return `=${character.charCodeAt(0).toString(16).toUpperCase()}`
}

// A line break in an address would start a header of the sender's choice.
function headerSafe(text) {
  return text.replace(/[\r\n<>]/g, '')
}

function fileNamePart(mailbox) {
  return mailbox.replace(/[^A-Za-z0-9@._+-]/g, '_').slice(0, 80)
}

function plainText(html) {
  return html
    .replace(/<(head|style)\b[\s\S]*?<\/\1>/gi, '')
    .replace(/<a\b[^>]*?href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/gi, '$2:\n$1')
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<\/p>\s*/gi, '\n\n')
    .replace(/<[^>]+>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;|&#34;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .trim()
}
