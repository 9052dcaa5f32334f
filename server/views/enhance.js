// Small comforts where scripts run. Every page works without this file.

for (const input of document.querySelectorAll('input[type=password]')) addPasswordToggle(input)
for (const form of document.querySelectorAll('form[method=post]')) sendOnce(form)

// A page that comes back from the back-forward cache may show somebody who has signed out since.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload()
})

function addPasswordToggle(input) {
  const button = document.createElement('button')
  const word = document.createTextNode('Show')
  const name = document.createElement('span')
  name.className = 'visually-hidden'
  name.textContent = ` ${input.labels?.[0]?.textContent ?? 'password'}`
  button.type = 'button'
  button.className = 'toggle'
  button.setAttribute('aria-controls', input.id)
  button.append(word, name)
  const show = (shown) => {
    input.type = shown ? 'text' : 'password'
    word.data = shown ? 'Hide' : 'Show'
  }
  button.addEventListener('click', () => show(input.type === 'password'))
  // A password that is shown must not be kept by the browser as the text of an ordinary field.
  input.form?.addEventListener('submit', () => show(false))
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
