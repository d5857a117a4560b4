package transcript

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
)

// run is a part of a text that is shown as it is, or the name of a character that would not be seen, or that would move others.
type run struct {
	Text    string
	Control bool
}

// runs makes a hostile text one that can be read: control characters and those that turn the direction of writing are named. The end of a
// line is one, however it is written. The characters that join letters and emoji (U+200C, U+200D) are part of many scripts, and stay.
func runs(text string) (parts []run) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	from := 0
	for i, r := range text {
		if !named(r) {
			continue
		}
		if from < i {
			parts = append(parts, run{Text: text[from:i]})
		}
		parts = append(parts, run{Text: fmt.Sprintf("U+%04X", r), Control: true})
		from = i + utf8.RuneLen(r)
	}
	if from < len(text) {
		parts = append(parts, run{Text: text[from:]})
	}
	return parts
}

// named tells the characters that are shown by their names. They are part of the page's form.
func named(r rune) bool {
	switch r {
	case '\n', '\t', 0x200c, 0x200d:
		return false
	}
	return r < 0x20 || proof.Unseen(r)
}

// visible is such a text for an attribute.
func visible(text string) string {
	var s strings.Builder
	for _, part := range runs(text) {
		s.WriteString(part.Text)
	}
	return s.String()
}

// short is the beginning of an id or a digest.
func short(text string) string {
	const length = 13
	text = visible(text)
	for i := range text {
		if utf8.RuneCountInString(text[:i]) == length {
			return text[:i] + "…"
		}
	}
	return text
}
