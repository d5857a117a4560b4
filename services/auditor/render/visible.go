package render

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Visible is text of an event for a terminal, on one line: what a terminal would not show as itself is escaped as in Go
// (\n, \x1b, \u202e, \xff for a byte that is not UTF-8), and a backslash is doubled, so that nothing else looks like that.
func Visible(s string) string {
	if plain(s) {
		return s
	}
	return string(appendVisible(nil, s, 0))
}

// Name is a name for a terminal: as it is if that cannot be taken for anything else, otherwise in quotes.
func Name(s string) string { return string(appendName(nil, s)) }

// plain reports whether s is ASCII that needs no escape.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

// appendVisible appends s; quote, if it is not 0, is escaped too.
func appendVisible(b []byte, s string, quote byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			b = appendASCII(b, c, quote)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = appendByte(b, c)
		case strconv.IsPrint(r):
			b = append(b, s[i:i+size]...)
		default:
			b = appendRune(b, r)
		}
		i += size
	}
	return b
}

func appendASCII(b []byte, c, quote byte) []byte {
	switch {
	case c == '\\' || c == quote && quote != 0:
		return append(b, '\\', c)
	case c >= ' ' && c < 0x7f:
		return append(b, c)
	case c == '\n':
		return append(b, `\n`...)
	case c == '\r':
		return append(b, `\r`...)
	case c == '\t':
		return append(b, `\t`...)
	}
	return appendByte(b, c)
}

const hex = "0123456789abcdef"

func appendByte(b []byte, c byte) []byte { return append(b, '\\', 'x', hex[c>>4], hex[c&15]) }

func appendRune(b []byte, r rune) []byte {
	digits := 4
	if r > 0xffff {
		b = append(b, '\\', 'U')
		digits = 8
	} else {
		b = append(b, '\\', 'u')
	}
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hex[r>>shift&15])
	}
	return b
}

func appendName(b []byte, s string) []byte {
	if bare(s) {
		return append(b, s...)
	}
	return append(appendVisible(append(b, '"'), s, '"'), '"')
}

// bare reports whether a name is made of letters, digits and -_.@ only.
func bare(s string) bool {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.', r == '@':
		case r < utf8.RuneSelf, r == utf8.RuneError:
			return false
		case !strconv.IsPrint(r) || !unicode.In(r, unicode.L, unicode.M, unicode.N):
			return false
		}
	}
	return s != ""
}
