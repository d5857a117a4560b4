package transcript

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// refused is an error whose cause is proof.ErrRefused.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", proof.ErrRefused, fmt.Errorf(format, args...))
}

// scanner reads the lines of a transcript in order and checks everything that can be checked without a key.
type scanner struct {
	in     *bufio.Reader
	line   []byte // the one that was read last
	header Header
	size   uint64 // of the checkpoint, which nobody has verified yet
	sum    hash.Hash
	seen   seen

	events, unproved, offset uint64 // so far
}

// scan begins to read a transcript. The errors of a scanner are proof.ErrRefused, or those of reading.
func scan(r io.Reader) (*scanner, error) {
	s := &scanner{in: bufio.NewReaderSize(r, 16<<10), sum: sha256.New(), seen: seen{}}
	line, err := s.read()
	if err == io.EOF {
		return nil, refused("it is empty")
	}
	if err != nil {
		return nil, err
	}
	if err := proof.Decode(line, &s.header); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	return s, s.checkHeader()
}

func (s *scanner) checkHeader() error {
	h := &s.header
	c, err := notary.Read([]byte(h.Checkpoint))
	s.size = c.Size
	switch {
	case h.Kind != Kind:
		return refused("its kind is %q, not %s", h.Kind, Kind)
	case h.Since != h.Since.UTC() || h.Until != h.Until.UTC():
		return refused("the bounds of time are not in UTC")
	case err != nil:
		return refused("%w", err)
	case h.Events == 0:
		return refused("it holds no message, and nothing is proved by that")
	case h.Last > s.size && h.Unproved == 0:
		return refused("it is of the offsets up to %d, and the checkpoint covers those up to %d only", h.Last, s.size)
	}
	return nil
}

// read is the next line with its end, valid until the next read; io.EOF behind the last one.
func (s *scanner) read() ([]byte, error) {
	s.line = s.line[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		s.line = append(s.line, part...)
		switch {
		case len(s.line) > proof.MaxBytes:
			return nil, refused("a line is longer than %d bytes", proof.MaxBytes)
		case err == io.EOF && len(s.line) > 0:
			return nil, refused("the last line is cut short")
		case !errors.Is(err, bufio.ErrBufferFull):
			return s.line, err
		}
	}
}

// next is the next event's line; io.EOF behind the last one, when the header was found to be right.
func (s *scanner) next() (*Line, error) {
	raw, err := s.read()
	if err == io.EOF {
		return nil, s.checkEnd()
	}
	if err != nil {
		return nil, err
	}
	s.sum.Write(raw)
	var line Line
	if err := proof.Decode(raw, &line); err != nil {
		return nil, fmt.Errorf("line %d: %w", s.events+2, err)
	}
	if err := s.checkLine(&line); err != nil {
		return nil, fmt.Errorf("line %d: %w", s.events+2, err)
	}
	s.events, s.offset = s.events+1, line.Event.Offset
	line.Repeats = s.seen.add(&line.Event)
	return &line, nil
}

func (s *scanner) checkLine(line *Line) error {
	h, e := &s.header, &line.Event
	switch {
	case e.Offset <= s.offset:
		return refused("offset %d stands behind offset %d", e.Offset, s.offset)
	case e.Offset < h.First || e.Offset > h.Last:
		return refused("offset %d is not in the span %d to %d", e.Offset, h.First, h.Last)
	case e.Conversation != h.Conversation:
		return refused("the event at offset %d is not of the conversation %q but of %q", e.Offset, h.Conversation, e.Conversation)
	case e.At != e.At.UTC():
		return refused("the time of offset %d is not in UTC", e.Offset)
	case e.At.Before(h.Since) || !h.Until.IsZero() && !e.At.Before(h.Until):
		return refused("the event at offset %d is not of the time that is meant", e.Offset)
	}
	if line.Proved() {
		return nil
	}
	s.unproved++
	if e.Damaged != "" {
		return nil
	}
	if e.Offset <= s.size {
		return refused("offset %d has no proof, though the checkpoint of %d covers it", e.Offset, s.size)
	}
	if _, err := e.Event(); err != nil {
		return refused("%w", err)
	}
	return nil
}

// checkEnd compares what was read with the header. It returns io.EOF if that is right.
func (s *scanner) checkEnd() error {
	h := s.header
	switch {
	case h.Events != s.events:
		return refused("the header says %d events, there are %d", h.Events, s.events)
	case h.Unproved != s.unproved:
		return refused("the header says %d events without a proof, there are %d", h.Unproved, s.unproved)
	}
	sum, err := h.seal(s.sum)
	if err != nil {
		return err
	}
	if sum != h.SHA256 {
		return refused("its checksum is another one: it was altered")
	}
	return io.EOF
}

// seal is what SHA256 should be behind the lines that went into sum.
func (h Header) seal(sum hash.Hash) (string, error) {
	h.SHA256 = ""
	line, err := proof.Encode(h)
	sum.Write(line)
	return hex.EncodeToString(sum.Sum(nil)), err
}
