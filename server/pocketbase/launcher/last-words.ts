// The last lines of a program that failed, for the message about it. Of a Go program that panicked the reason counts,
// not the pages of stack that follow.

const KEPT_LINES = 10
const STACK = /^goroutine \d+ /

export class LastWords {
  readonly #lines: string[] = []
  #inStack = false

  get lines(): readonly string[] {
    return this.#lines
  }

  add(line: string): void {
    if (STACK.test(line)) this.#inStack = true
    if (this.#inStack || line.trim() === '') return
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.shift()
  }
}
