package contract

import (
	"encoding/json"
	"time"
	"unicode/utf8"
)

// appendTime appends a time in UTC as RFC 3339 with milliseconds. The library has
// a short way for the form without them.
func appendTime(dst []byte, t time.Time) []byte {
	dst = t.AppendFormat(dst, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(dst[:len(dst)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// escaped says which bytes cannot stand in a JSON string as they are.
var escaped = func() (table [256]bool) {
	for c := range 0x20 {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// appendString appends a JSON string. Nearly every one needs no escape, and
// then it costs a scan and a copy.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if escaped[s[i]] {
			return appendEscaped(dst, s)
		}
	}
	if !utf8.ValidString(s) {
		return appendEscaped(dst, s)
	}
	return append(append(append(dst, '"'), s...), '"')
}

func appendEscaped(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always can be
	return append(dst, quoted...)
}
