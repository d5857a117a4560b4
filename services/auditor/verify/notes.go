package verify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxNote bounds one signed note, in bytes. A checkpoint has some 250.
const maxNote = 64 << 10

// notes are the signed notes of a file in which they stand one after the other: as they are, with or without empty lines
// between, or as the field "checkpoint" of JSON objects, as auditor checkpoint writes them. An error ends them.
func notes(r io.Reader) iter.Seq2[[]byte, error] {
	file := bufio.NewReaderSize(r, maxNote)
	if first, err := file.Peek(1); err == nil && first[0] == '{' {
		return objects(file)
	}
	return bare(file)
}

// objects are the notes in JSON objects.
func objects(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for in := json.NewDecoder(r); ; {
			var object struct{ Checkpoint string }
			err := in.Decode(&object)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield([]byte(object.Checkpoint), err) || err != nil {
				return
			}
		}
	}
}

// bare are notes as they are: a text, an empty line, signatures ("— name ...").
func bare(lines *bufio.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
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
