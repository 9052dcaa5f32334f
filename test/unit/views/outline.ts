// What a browser would make of our HTML: its tags with the names of their attributes, in order. Our templates write
// all attribute values in double quotes, so a value that breaks out changes the outline.

const TAG = /<(\/?[a-z!][^\s>/]*)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>/gi
const ATTRIBUTE = /([\w-]+)(?:="[^"]*")?/g

export function outlineOf(html: string): string[] {
  return Array.from(html.matchAll(TAG), ([, tag = '', attributes = '']) => {
    const names = Array.from(attributes.matchAll(ATTRIBUTE), ([, name = '']) => name)
    return `${tag} ${names.join(' ')}`.trim()
  })
}
