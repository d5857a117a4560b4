package proof

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Encode is the only form of a value: a line of JSON without spaces, in which <, > and & are escaped, so that it can stand in a page, and
// so are the characters that a terminal might obey.
func Encode(v any) ([]byte, error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	line := make([]byte, 0, len(encoded)+1)
	for len(encoded) > 0 {
		r, size := utf8.DecodeRune(encoded)
		switch {
		case !Unseen(r):
			line = append(line, encoded[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			line = fmt.Appendf(line, `\u%04x\u%04x`, high, low)
		default:
			line = fmt.Appendf(line, `\u%04x`, r)
		}
		encoded = encoded[size:]
	}
	return append(line, '\n'), nil
}

// Unseen tells the control and format characters that JSON would leave as they are: others than those of ASCII up to 0x1f. The list is
// fixed, and not that of a version of Unicode, because it is part of the form, also of a transcript's page.
func Unseen(r rune) bool {
	switch {
	case r < 0x7f:
		return false
	case r <= 0x9f, r == 0xad, r == 0x61c, r == 0xfeff:
		return true
	case 0x200b <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f, 0xfff9 <= r && r <= 0xfffb:
		return true
	}
	return 0xe0000 <= r && r <= 0xe007f
}
