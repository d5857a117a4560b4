import { describe, expect, test } from 'vitest'

import { below, chance } from './samples'
import { isEmojiOnly, type Token, tokensOf } from './text'

type Link = Extract<Token, { kind: 'link' }>

const textOf = (tokens: readonly Token[]) => tokens.map(({ text }) => text).join('')
const linksOf = (content: string) => tokensOf(content).filter((token): token is Link => token.kind === 'link')

test('a text is its parts', () => {
  expect(tokensOf('see https://example.org/a, or not')).toEqual([
    { kind: 'text', text: 'see ' },
    { kind: 'link', text: 'https://example.org/a', href: 'https://example.org/a' },
    { kind: 'text', text: ', or not' },
  ])
  expect(tokensOf('')).toEqual([])
  expect(tokensOf('https://example.org')).toHaveLength(1)
})

describe('a link', () => {
  test.each([
    ['http://localhost:3000', 'http://localhost:3000', 'http://localhost:3000/'],
    ['HTTPS://Example.ORG/Path', 'HTTPS://Example.ORG/Path', 'https://example.org/Path'],
    ['(https://a.example/b)', 'https://a.example/b', 'https://a.example/b'],
    ['"https://a.example/b".', 'https://a.example/b', 'https://a.example/b'],
    ['https://a.example/b_(c)?', 'https://a.example/b_(c)', 'https://a.example/b_(c)'],
    ['אhttps://a.example ,https://b.example!', 'https://b.example', 'https://b.example/'],
    ['https://bücher.example/ä', 'https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4'],
    ['http://127.0.0.1:3000/#/room/a%20b@12', 'http://127.0.0.1:3000/#/room/a%20b@12', 'http://127.0.0.1:3000/#/room/a%20b@12'],
    ['http://[::1]:8080/', 'http://[::1]:8080/', 'http://[::1]:8080/'],
    ['https://a.example/<script>', 'https://a.example/', 'https://a.example/'],
  ])('%s has %s, to %s', (content, text, href) => {
    expect(linksOf(content)).toEqual([{ kind: 'link', text, href }])
  })

  test.each([
    'example.org', 'www.example.org', 'ana@example.org', 'mailto:ana@example.org', '//example.org/a', 'ftp://example.org/a',
    'javascript:alert(1)', 'javascript://example.org/%0aalert(1)', 'data:text/html,x', 'file:///etc/passwd', 'xhttps://a.example',
    '_http://a.example', 'http:a.example', 'http:/a.example', 'http://', 'https:// a.example', 'httpſ://a.example',
    'http://999.1.1.1/', 'http://a.example/\u202egpj.exe', `http://a.example/${'a'.repeat(3_000)}`,
  ])('%s has none', (content) => {
    expect(tokensOf(content)).toEqual([{ kind: 'text', text: content }])
  })

  test('at the end of another one is one of its own', () => {
    expect(linksOf('https://a.example https://b.example\nhttps://c.example').map(({ href }) => href))
      .toEqual(['https://a.example/', 'https://b.example/', 'https://c.example/'])
  })
})

describe('hostile text', () => {
  const kib16 = (part: string) => part.repeat(Math.ceil(16_384 / part.length)).slice(0, 16_384)

  test.each([
    'http://', 'http://a.example ', 'https://a.example/(', '(', '[({', 'http://a/((((x)', 'http://a.', 'http://a-', `http://${'a'.repeat(62)}.`,
    `http://xn--${'a'.repeat(59)}.`, 'http://a/"', 'http://a/!', 'http://a/..', 'http://@', 'http://a@', 'http://[::', 'http://[::1]', '👩‍👩‍👧‍👦',
    'http://🌊/', '\ud83c', 'http://\ud83c', 'a', '\u202ehttp://a.example ', 'http://1.', 'http://a:1', 'http://a/%', '\n', '\u0000',
  ])('of 16 KiB of %j stays itself, with at most fifty links', (part) => {
    for (const content of [kib16(part), `http://a/${kib16(part)}`, kib16(`${part} `)]) {
      expect(textOf(tokensOf(content)) === content).toBe(true)
      expect(linksOf(content).length).toBeLessThanOrEqual(50)
    }
  })

  test('has fifty links, and is plain from there on', () => {
    const content = 'http://a.example/ '.repeat(60)
    expect(linksOf(content)).toHaveLength(50)
    expect(tokensOf(content).at(-1)).toEqual({ kind: 'text', text: ` ${'http://a.example/ '.repeat(10)}` })
  })

  test('of beginnings that are none ends the search', () => {
    expect(linksOf(`${'http://_ '.repeat(100)}http://a.example`)).toHaveLength(1)
    expect(linksOf(`${'http://_ '.repeat(300)}http://a.example`)).toHaveLength(0)
  })

  test('put together by chance is the text again, and leads nowhere but to http and https', () => {
    const parts = [
      'http://', 'https://', 'HTTP:', '//', 'javascript:', 'data:', 'a.example', 'www.', '@', ':', '/', '(', ')', '[', ']', '"', '\'', '<', '>', '.', ',',
      ' ', '\n', '&', '?', '#', '%', 'é', '한', '🌊', '\ud83c', '\udf0a', '\u202e', '\u200d', '127.0.0.1', '::1', ':80',
    ]
    const random = chance(11)
    let links = 0
    for (let n = 0; n < 3_000; n++) {
      const content = Array.from({ length: below(16, random) }, () => parts[below(parts.length, random)]).join('')
      const tokens = tokensOf(content)
      expect(textOf(tokens)).toBe(content)
      expect(tokens.every(({ text }) => text !== '')).toBe(true)
      for (const { href } of linksOf(content)) expect(href).toMatch(/^https?:\/\/[^/]/)
      links += linksOf(content).length
    }
    expect(links).toBeGreaterThan(200)
  })
})

describe('one to three emoji and nothing else', () => {
  test.each([
    '👍', '👍👍👍', '❤️', '©️', '1️⃣', '#️⃣', '🇦🇹', '🇦🇹🇩🇪🇨🇭', '👍🏽', '👩‍👩‍👧‍👦', '👩🏽‍🤝‍👨🏻', '🏳️‍🌈', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🤷🏿‍♂️', '❤️‍🔥👩‍🚀🏴‍☠️', '👁️‍🗨️', '🧑‍⚕',
  ])('%s is that', (content) => {
    expect(isEmojiOnly(content)).toBe(true)
  })

  test.each([
    '', ' ', 'a', '1', '123', '#', '*', '©', '❤', '1️', '👍 ', '👍👍👍👍', '👍a', '👍\n', '🇦', '🇦🇹🇩', '\u200d', '\ufe0f', '\ud83d', '👍‍'.repeat(2),
    '👩‍'.repeat(5_000), '👍'.repeat(5_000),
    `${'👩\u200d'.repeat(34)}a`, `${'👩🏽\u200d'.repeat(20)}a`, `${'❤️'.repeat(51)}a`, `🏴${'\u{e0061}'.repeat(51)}a`, `${'👩\u200d❤️\u200d'.repeat(16)}a`,
  ])('%j is not', (content) => {
    expect(isEmojiOnly(content)).toBe(false)
  })
})
