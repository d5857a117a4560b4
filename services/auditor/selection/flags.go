package selection

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// AddFlags adds the flags of a selection. A value that is not allowed is an error of the command line's usage.
func (s *Selection) AddFlags(flags *pflag.FlagSet) {
	add := func(name, kind, meaning string, set func(text string) error) {
		flags.Var(&value{kind: kind, set: set}, name, meaning)
	}
	add("from", "offset", "first offset (default the log's first)", toOffset(&s.From))
	add("to", "offset", "last offset (default the log's last)", toOffset(&s.To))
	add("since", "time", "not before: 2006-01-02, 2006-01-02T15:04:05 (UTC), with a zone (+01:00), or so long ago (2h, 3d)", toTime(&s.Since))
	add("until", "time", "only before", toTime(&s.Until))
	add("room", "name", "only this room; may be given several times", appendTo(&s.Rooms))
	add("between", "users", "only the direct conversation of two users, by id or name: alice,bob", toPair(&s.Between))
	add("sender", "user", "only by this user, by id or name; may be given several times", appendTo(&s.Senders))
	add("type", "type", "only this type (message.posted, user.registered, ...); may be given several times", appendTo(&s.Types))
}

// value is a flag whose text is read by set.
type value struct {
	kind string
	text string
	set  func(text string) error
}

func (v *value) Set(text string) error {
	v.text = text
	return v.set(text)
}

func (v *value) String() string { return v.text }
func (v *value) Type() string   { return v.kind }

func toOffset(offset *uint64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || n == 0 {
			return errors.New("it must be an offset: a whole number, 1 or more")
		}
		*offset = n
		return nil
	}
}

func appendTo(list *[]string) func(string) error {
	return func(text string) error {
		if text == "" {
			return errors.New("it must not be empty")
		}
		*list = append(*list, text)
		return nil
	}
}

func toPair(pair *[]string) func(string) error {
	return func(text string) error {
		a, b, found := strings.Cut(text, ",")
		if !found || a == "" || b == "" || strings.Contains(b, ",") {
			return errors.New("it must be two users, by id or name, with a comma between them (by id if a name holds a comma)")
		}
		*pair = []string{a, b}
		return nil
	}
}

func toTime(at *time.Time) func(string) error {
	return func(text string) error {
		t, err := parseTime(text, time.Now())
		if err == nil {
			*at = t
		}
		return err
	}
}

// layouts are the ways to write a time. What has no zone is UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// parseTime reads a time, or an age seen from now.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if age, ok := parseAge(text); ok {
		return now.Add(-age).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("it must be a date (2006-01-02), a date and time in UTC (2006-01-02T15:04:05) or with a zone " +
		"(2006-01-02T15:04:05+01:00), or an age (90m, 2h, 3d)")
}

// maxDays keeps an age within what a time.Duration can hold.
const maxDays = 100_000

// parseAge reads what time.ParseDuration reads, with days before it: 3d, 1d12h.
func parseAge(text string) (time.Duration, bool) {
	var days uint64
	rest := text
	if before, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(before, 10, 32)
		if err != nil || n > maxDays {
			return 0, false
		}
		days, rest = n, after
	}
	age := time.Duration(days) * 24 * time.Hour
	if rest == "" {
		return age, text != ""
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || age+d < 0 {
		return 0, false
	}
	return age + d, true
}
