package render

import (
	"strconv"
	"unicode/utf8"
)

// GuardJSON is JSON for a terminal: what JSON allows in a text and a terminal does not show as itself is escaped, which says
// the same to a program.
func GuardJSON(json []byte) []byte {
	guarded := make([]byte, 0, len(json))
	for len(json) > 0 {
		r, size := utf8.DecodeRune(json)
		if r >= 0x7f && (!strconv.IsPrint(r) || r == utf8.RuneError && size == 1) {
			guarded = append(guarded, escaped(r)...)
		} else {
			guarded = append(guarded, json[:size]...)
		}
		json = json[size:]
	}
	return guarded
}
