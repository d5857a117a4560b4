/** Links and emoji in what people write. Everything stays text: a token says what a part of it is. */

import { LinkifyIt } from 'linkify-it'

export type Token =
  | { readonly kind: 'text'; readonly text: string }
  /** `href` is what `text` says, as an absolute address of http or https. */
  | { readonly kind: 'link'; readonly text: string; readonly href: string }

/** Longer addresses are left as text. */
const longestLink = 2_048
/** What looks for links stops after so many, or after so many beginnings that turn out to be none. */
const mostLinks = 50
const mostAttempts = 200

/** Only ever asked whether an address of http or https goes on at a place: it looks for nothing by itself. */
const linkify = new LinkifyIt({ maxLength: longestLink })

/** A scheme that is no part of a word. A link has to say its scheme: `example.org` may be the end of one sentence, and the beginning of the next. */
const beginnings = /(^|[^\p{L}\p{M}\p{N}_])(https?:)\/\//giu

/** They turn the order of characters round, so that an address would not read as what it is. */
const directions = /[\u202A-\u202E\u2066-\u2069]/

/**
 * The content in parts; their texts, one after the other, are the content. What it costs is bounded by mostAttempts, whatever
 * the content.
 */
export function tokensOf(content: string): Token[] {
  const tokens: Token[] = []
  let done = 0
  for (const { start, end, href } of linksOf(content)) {
    if (start > done) tokens.push({ kind: 'text', text: content.slice(done, start) })
    tokens.push({ kind: 'link', text: content.slice(start, end), href })
    done = end
  }
  if (done < content.length) tokens.push({ kind: 'text', text: content.slice(done) })
  return tokens
}

interface Link {
  start: number
  end: number
  href: string
}

function linksOf(content: string): Link[] {
  const links: Link[] = []
  beginnings.lastIndex = 0
  for (let attempts = 0; attempts < mostAttempts && links.length < mostLinks; attempts++) {
    const [found, before = '', scheme = ''] = beginnings.exec(content) ?? []
    if (found === undefined) break
    const afterScheme = beginnings.lastIndex - '//'.length
    const length = linkify.testSchemaAt(content, scheme, afterScheme)
    if (length === 0) continue
    const start = beginnings.lastIndex - found.length + before.length
    const end = afterScheme + length
    const href = hrefOf(content.slice(start, end))
    if (length < longestLink && href !== undefined) links.push({ start, end, href })
    beginnings.lastIndex = end
  }
  return links
}

function hrefOf(address: string): string | undefined {
  if (directions.test(address)) return undefined
  try {
    const url = new URL(address)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined
  } catch {
    return undefined
  }
}

// After https://www.unicode.org/reports/tr51/#EBNF_and_Regex, without what is shown as text unless it asks to be a picture.
// No two alternatives inside of a repetition begin alike: the time would double with every character.
const picture = '(?:(?![0-9#*])\\p{Emoji}\\uFE0F|\\p{Emoji_Modifier_Base}\\p{Emoji_Modifier}|\\p{Emoji_Presentation})'
const tags = '(?:[\\u{E0020}-\\u{E007E}]+\\u{E007F})?'
const joined = `${picture}${tags}(?:\\u200D\\p{Extended_Pictographic}[\\uFE0F\\p{Emoji_Modifier}]?)*`
const emoji = `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3|(?!\\p{Regional_Indicator})${joined})`
const fewEmoji = new RegExp(`^${emoji}{1,3}$`, 'u')
/** In UTF-16: the longest emoji have fewer than 35. */
const longestFewEmoji = 3 * 35

/** Whether it is one to three emoji and nothing else. */
export function isEmojiOnly(content: string): boolean {
  return content.length <= longestFewEmoji && fewEmoji.test(content)
}
