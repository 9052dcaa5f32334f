// Small comforts where scripts run. Every page works without this file.

for (const input of document.querySelectorAll('input[type=password]')) addPasswordToggle(input)
for (const form of document.querySelectorAll('form[method=post]')) sendOnce(form)

// A page that comes back from the back-forward cache may show somebody who has signed out since.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload()
})

function addPasswordToggle(input) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'toggle'
  button.setAttribute('aria-pressed', 'false')
  button.setAttribute('aria-controls', input.id)
  const name = input.labels?.[0]?.textContent ?? 'password'
  button.setAttribute('aria-label', `Show: ${name}`)
  button.textContent = 'Show'
  button.addEventListener('click', () => {
    const shown = input.type === 'password'
    input.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
    button.textContent = shown ? 'Hide' : 'Show'
    button.setAttribute('aria-label', `${button.textContent}: ${name}`)
  })
  // A shown password must not be kept by the browser as the text of an ordinary field.
  input.form?.addEventListener('submit', () => {
    input.type = 'password'
  })
  const box = document.createElement('div')
  box.className = 'with-toggle'
  input.replaceWith(box)
  box.append(input, button)
}

function sendOnce(form) {
  let sent = false
  form.addEventListener('submit', (event) => {
    if (sent) event.preventDefault()
    sent = true
    form.setAttribute('aria-busy', 'true')
    // The server may take its time or the network may fail: never lock the visitor out of the form.
    setTimeout(() => {
      sent = false
      form.removeAttribute('aria-busy')
    }, 8000)
  })
}
