package verify

import (
	"time"
	"unicode/utf8"
)

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

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
