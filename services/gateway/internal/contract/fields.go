package contract

import (
	"math"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// Longest names and keys, in characters.
const (
	maxName = 64 // of users, and nicknames
	maxRoom = 128
	maxUser = 128 // ids of users
	maxKey  = 128
)

// MaxOffset is the largest offset a client can hold: JavaScript's largest safe
// integer.
const MaxOffset = 1<<53 - 1

// fieldsOf reads the arguments of an event that takes one object. want says
// which.
func fieldsOf(args []any, want string) (map[string]any, *Refusal) {
	if len(args) == 1 {
		if fields, ok := args[0].(map[string]any); ok {
			return fields, nil
		}
	}
	return nil, invalid("want one object %s", want)
}

// characters reads a string of 1 to most characters.
func characters(v any, most int) (string, bool) {
	s, ok := v.(string)
	if !ok || s == "" || len(s) > most*utf8.UTFMax || utf8.RuneCountInString(s) > most {
		return "", false
	}
	return s, true
}

// wholeNumber reads a number from 0 to MaxOffset, or such a number as a string
// of digits.
func wholeNumber(v any) (uint64, bool) {
	switch v := v.(type) {
	case float64:
		if v >= 0 && v <= MaxOffset && v == math.Trunc(v) { // NaN fails
			return uint64(v), true
		}
	case string:
		n, err := strconv.ParseUint(v, 10, 64) // digits only: no sign, no space
		return n, err == nil && n <= MaxOffset
	}
	return 0, false
}

// rfc3339 is the form of a time. The library alone lets more through: an hour of one
// digit, a comma, any zone.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// instant reads a time as RFC 3339 has it, of the years 1970 to 9999 UTC. It is the
// end of its millisecond: clients are told times in whole ones, so that what they
// were told of is not after it.
func instant(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok || !rfc3339.MatchString(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC()
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t.Truncate(time.Millisecond).Add(time.Millisecond - 1), true
}

func roomOf(v any) (string, *Refusal) {
	room, ok := characters(v, maxRoom)
	if !ok {
		return "", invalid("room must be a string of 1 to %d characters", maxRoom)
	}
	return room, nil
}

// userOf reads the id of a user, whether there is one or not; field is what the
// client calls it.
func userOf(v any, field string) (string, *Refusal) {
	user, ok := characters(v, maxUser)
	if !ok {
		return "", invalid("%s must be a user's id, a string of 1 to %d characters", field, maxUser)
	}
	return user, nil
}

// roomOrUser reads the one of two fields that is there.
func roomOrUser(fields map[string]any, userField string) (room, user string, refusal *Refusal) {
	r, u := fields["room"], fields[userField]
	switch {
	case (r == nil) == (u == nil):
		return "", "", invalid("want either room or %s", userField)
	case r != nil:
		room, refusal = roomOf(r)
	default:
		user, refusal = userOf(u, userField)
	}
	return room, user, refusal
}
