package config

import (
	"errors"
	"fmt"
	"strings"
)

// Error tells everything that is wrong with the settings, so that it can be put right at once. The process must not
// start.
type Error struct {
	Problems []Problem // never empty
}

// Problem is one setting that is unknown or has a value that is not allowed.
type Problem struct {
	Key    string // as it was written; empty: the source as a whole
	Source string // as in [Setting]
	Reason string // what is wrong and what is allowed; never a secret
}

// Error is one line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "; ")
}

func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("settings (%s): %s", p.Source, p.Reason)
	}
	return fmt.Sprintf("setting %s (%s): %s", p.Key, p.Source, p.Reason)
}

var errNotAllowed = errors.New("value is not allowed")

// refused is the problem of a value that s does not take.
func (s setting) refused(source, value string) Problem {
	shown := fmt.Sprintf("%q", value)
	if s.secret {
		shown = "this value"
	}
	return Problem{Key: s.key, Source: source, Reason: shown + " is not allowed, it must be " + s.allowed}
}
