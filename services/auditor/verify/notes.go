package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxNote bounds one signed note, in bytes. A checkpoint has some 250.
const maxNote = 64 << 10

// notes are the signed notes of a file in which they stand one after the other, with or without empty lines between them: a text,
// an empty line, signatures ("— name ..."). An error ends them.
func notes(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		lines := bufio.NewReaderSize(r, maxNote)
		var note []byte
		signed := false // note has a signature
		for {
			line, err := lines.ReadSlice('\n')
			ended := errors.Is(err, io.EOF)
			if err != nil && !ended {
				yield(nil, fmt.Errorf("read a signed note: %w", err))
				return
			}
			signature := bytes.HasPrefix(line, []byte("— "))
			if signed && !signature { // what begins here is the next one, or nothing
				if !yield(note, nil) {
					return
				}
				note, signed = nil, false
			}
			if len(note) > 0 || len(bytes.TrimSpace(line)) > 0 {
				note, signed = append(note, line...), signature
			}
			if len(note) > maxNote {
				yield(nil, fmt.Errorf("a signed note is longer than %d bytes", maxNote))
				return
			}
			if ended {
				break
			}
		}
		if len(note) > 0 {
			yield(note, nil)
		}
	}
}
