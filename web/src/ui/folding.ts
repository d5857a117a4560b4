/** Long texts are folded: of what is beyond the beginning nothing is laid out, however much it is, until somebody asks for it. */

import type { Token } from '../chat/text'

/** What is longer is folded, to so much of it. */
const most = { lines: 40, characters: 4_000 }
const shown = { lines: 20, characters: 2_000 }

export interface Folded {
  beginning: Token[]
  /** Empty: the text is short. */
  rest: Token[]
}

/** In two parts, whose texts, one after the other, are that of the tokens. No link is cut. */
export function fold(tokens: readonly Token[], content: string): Folded {
  if (content.length <= most.characters && lineAt(content, most.lines) === undefined) return { beginning: [...tokens], rest: [] }
  const end = Math.min(lineAt(content, shown.lines) ?? Infinity, shown.characters)
  const folded: Folded = { beginning: [], rest: [] }
  let from = 0
  for (const token of tokens) {
    const cut = wholeCharacters(token.text, end - from)
    if (cut >= token.text.length) folded.beginning.push(token)
    else if (cut <= 0 || token.kind === 'link') folded.rest.push(token)
    else {
      folded.beginning.push({ ...token, text: token.text.slice(0, cut) })
      folded.rest.push({ ...token, text: token.text.slice(cut) })
    }
    from += token.text.length
  }
  return folded
}

/** Where the line after so many lines begins; undefined if there are no more. */
function lineAt(content: string, lines: number): number | undefined {
  let at = -1
  for (let line = 0; line < lines; line++) {
    at = content.indexOf('\n', at + 1)
    if (at === -1) return undefined
  }
  return at + 1
}

/** Not between the halves of a surrogate pair. */
function wholeCharacters(text: string, length: number): number {
  return /[\uD800-\uDBFF]/.test(text.charAt(length - 1)) ? length - 1 : length
}
