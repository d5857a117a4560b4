import { describe, expect, test } from 'vitest'

import { tokensOf } from '../chat/text'
import { fold, type Folded } from './folding'

const folded = (content: string) => fold(tokensOf(content), content)
const textOf = (tokens: Folded['rest']) => tokens.map(({ text }) => text).join('')

describe('fold', () => {
  test.each([['short', 'hello'], ['40 lines', 'line\n'.repeat(39) + 'line'], ['4,000 characters', 'x'.repeat(4_000)]])(
    'leaves as it is what is %s', (_, content) => {
      expect(folded(content)).toEqual({ beginning: [{ kind: 'text', text: content }], rest: [] })
    },
  )

  test.each([
    ['many lines', 'line\n'.repeat(41), 'line\n'.repeat(20)],
    ['many characters', 'x'.repeat(4_001), 'x'.repeat(2_000)],
    ['a surrogate pair at the fold', 'x'.repeat(1_999) + '👍'.repeat(1_500), 'x'.repeat(1_999)],
  ])('shows the beginning of %s, and loses nothing', (_, content, beginning) => {
    const { beginning: first, rest } = folded(content)
    expect(textOf(first)).toBe(beginning)
    expect(textOf(first) + textOf(rest)).toBe(content)
  })

  test('cuts no link', () => {
    const address = `https://example.org/${'a'.repeat(100)}`
    const content = `${'x '.repeat(990)}${address} ${'y'.repeat(3_000)}`
    const { beginning, rest } = folded(content)
    expect(textOf(beginning)).toBe('x '.repeat(990))
    expect(rest[0]).toEqual({ kind: 'link', text: address, href: address })
    expect(textOf(beginning) + textOf(rest)).toBe(content)
  })
})
