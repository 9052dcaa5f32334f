// Log lines for a terminal instead of JSON.

import { styleText } from 'node:util'
import { printable } from '../lib/printable.ts'

const LEVELS: Readonly<Record<number, string>> = {
  20: styleText('dim', 'debug'),
  30: 'info ',
  40: styleText('yellow', 'warn '),
  50: styleText('red', 'error'),
}

/** A destination for pino that prints `12:34:56 warn  message  key=value`. */
export function readableLines(print: (text: string) => void): { write(line: string): void } {
  return {
    write(line) {
      // pino's own JSON.
      const { level, time, msg, ...rest } = JSON.parse(line) as { level: number; time: number; msg?: string }
      const details = Object.entries(rest).map(([key, value]) => `${key}=${inOneLine(value)}`)
      const clock = new Date(time).toTimeString().slice(0, 8)
      print(`${styleText('dim', clock)} ${LEVELS[level] ?? level} ${printable([msg ?? '', ...details].join('  '))}`)
    },
  }
}

function inOneLine(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
