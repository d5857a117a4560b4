// Package notes reads files of signed notes that were kept elsewhere: as a notary exports them, or auditor checkpoint writes them.
package notes

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxNote bounds one signed note, in bytes. A checkpoint has some 250.
const maxNote = 64 << 10

// All are the notes of a file in which they stand one after the other: as they are, with or without empty lines between, or as
// the field "checkpoint" of JSON objects. One that was cut off comes as what there is of it, and spoils none that follows: see
// Read. An error ends them.
func All(r io.Reader) iter.Seq2[[]byte, error] {
	file := bufio.NewReaderSize(r, maxNote)
	if first, err := file.Peek(1); err == nil && first[0] == '{' {
		return objects(file)
	}
	return bare(file)
}

// Last is the last note of a file that can be read.
func Last(r io.Reader) (string, error) {
	var last []byte
	var unreadable error
	for signed, err := range All(r) {
		if err != nil {
			return "", err
		}
		if _, err := Read(signed); err != nil {
			unreadable = err
		} else {
			last = signed
		}
	}
	if last == nil {
		return "", cmp.Or(unreadable, errors.New("it is empty"))
	}
	return string(last), nil
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

// bare are notes as they are.
func bare(lines *bufio.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var s splitter
		for more := true; more; {
			line, err := lines.ReadSlice('\n')
			more = !errors.Is(err, io.EOF)
			if err != nil && more {
				yield(nil, fmt.Errorf("read a signed note: %w", err))
				return
			}
			if note := s.add(line); note != nil && !yield(note, nil) {
				return
			}
			if len(s.note) > maxNote {
				yield(nil, fmt.Errorf("a signed note is longer than %d bytes", maxNote))
				return
			}
		}
		if note := s.end(); note != nil {
			yield(note, nil)
		}
	}
}
