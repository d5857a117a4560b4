package verify

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain is text as it may be shown: what a terminal would obey, or hide, is written as Go writes it in quotes. %q does as much
// and adds the quotes.
func plain(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			quoted := strconv.Quote(text[i : i+1])
			b.WriteString(quoted[1 : len(quoted)-1])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// short is text cut to what a line has room for.
func short(text string) string {
	const most = 60 // bytes
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
