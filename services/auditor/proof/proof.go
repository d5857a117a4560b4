// Package proof makes and checks files that prove something of the log to someone who has only the notary's public key:
// that an event is at its place ([Inclusion]), that a later checkpoint's log begins with an earlier one's ([Consistency]).
//
//	{"kind":"tidemark.inclusion/1","event":{...},"hashes":["...",...],"checkpoint":"..."}
//	{"kind":"tidemark.consistency/1","older":"...","newer":"...","hashes":["...",...]}
//
// A file is one line of JSON as [Encode] writes it, and nothing else is a proof: what was read is written again and compared
// byte for byte. So a file of which any byte was altered is refused, also where JSON would not have minded.
//
// Everything here is a function of values: no network, no clock.
package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxBytes is more than any proof of one event takes.
const MaxBytes = 2 << 20

// The kinds of files.
const (
	KindInclusion   = "tidemark.inclusion/1"
	KindConsistency = "tidemark.consistency/1"
)

// ErrRefused is the cause of every error of a check: what was given does not prove what it claims.
var ErrRefused = errors.New("refused")

// errForm says that a file is not written as Encode writes it.
var errForm = fmt.Errorf("%w: it is not written as a proof is (altered, or cut short)", ErrRefused)

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// Decode reads what Encode has written, into a pointer. Anything else is ErrRefused. The values are to be checked by the caller: times
// that are not UTC and nil slices would be written as they are.
func Decode(line []byte, v any) error {
	if len(line) > MaxBytes {
		return refused("it is longer than %d bytes", MaxBytes)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	again, err := Encode(v)
	if err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	if !bytes.Equal(line, again) {
		return errForm
	}
	return nil
}

// Kind is the kind that a line claims to be, or empty.
func Kind(line []byte) string {
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(line, &head) != nil {
		return ""
	}
	return head.Kind
}
