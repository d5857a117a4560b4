// Package fault gives every error two things a caller needs: what was being
// done, and what kind of failure it is. The kind decides what happens next:
//
//	Permanent   the request can never succeed: tell the client, it must not retry
//	Temporary   try again later with the same idempotency key: tell nobody anything
//	Corrupt     the log or the read model is not what it should be: alarm
//
// An error is handled (logged, counted or answered) once, where it ends.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller may do about an error.
type Kind uint8

const (
	Unknown Kind = iota
	Permanent
	Temporary
	Corrupt
)

func (k Kind) String() string {
	switch k {
	case Permanent:
		return "permanent"
	case Temporary:
		return "temporary"
	case Corrupt:
		return "corrupt"
	default:
		return "unknown"
	}
}

// Error is an error with its operation and kind.
type Error struct {
	Op   string // what was being done, e.g. "append"
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// New wraps err with an operation and a kind. A nil err stays nil.
func New(op string, kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: kind, Err: err}
}

// Errorf makes an error of a kind from a format, which may wrap with %w.
func Errorf(op string, kind Kind, format string, args ...any) error {
	return New(op, kind, fmt.Errorf(format, args...))
}

// Is reports whether the outermost kinded error in err's chain has this kind.
func Is(err error, kind Kind) bool { return KindOf(err) == kind }

// KindOf is the kind of the outermost kinded error in err's chain.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}
