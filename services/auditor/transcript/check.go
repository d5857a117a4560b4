package transcript

import (
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// Result is what a transcript says, and what of it is proved.
type Result struct {
	Header     Header
	Checkpoint notary.Checkpoint
	Proved     uint64 // how many events; the header counts the others
	Summary    Summary
}

// Summary is what the lines say taken together.
type Summary struct {
	FirstAt, LastAt time.Time // of the first and last event
	Repeats         uint64    // events that repeat an earlier one
	People          []Person  // the two users of a direct conversation, in the order in which they appear; of a room none
}

// Check checks the lines of a transcript, from its header to its end, by the notary's keys alone. Its error is proof.ErrRefused,
// or that of reading.
func Check(r io.Reader, keys ...note.Verifier) (*Result, error) {
	s, err := scan(r)
	if err != nil {
		return nil, err
	}
	result := &Result{Header: s.header}
	if result.Checkpoint, err = proof.Verify(s.header.Checkpoint, keys...); err != nil {
		return nil, err
	}
	err = s.each(func(line *Line) error {
		result.Summary.add(line)
		if !line.Proved() {
			return nil
		}
		result.Proved++
		return proof.CheckPath(&line.Event, line.Hashes, result.Checkpoint)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// each calls apply with all lines, and returns nil at a good end.
func (s *scanner) each(apply func(*Line) error) error {
	for {
		line, err := s.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = apply(line)
		}
		if err != nil {
			return err
		}
	}
}
