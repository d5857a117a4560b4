package notes

import "bytes"

// textLines are those of a checkpoint.
const textLines = 5

// splitter puts notes together, line by line: a text, an empty line, signatures ("— name ..."). Where one was cut off, the next
// one begins on the line after, without an empty line between if the cut was within a line:
//
//	tidemark        cut off
//	47
//	tidemark        the next one: textLines lines, an empty one ...
//	4712
type splitter struct {
	note   []byte // what there is of it; empty between two
	empty  bool   // its last line is empty, so that a signature must follow
	signed bool   // its last line is a signature
}

// add takes a line, and returns the note that it shows to have ended, if any.
func (s *splitter) add(line []byte) (ended []byte) {
	signature := (s.empty || s.signed) && bytes.HasPrefix(line, []byte("— "))
	switch {
	case signature && s.empty:
		ended = s.above()
	case s.empty || s.signed && !signature:
		ended, s.note = s.note, nil
	}
	blank := len(bytes.TrimSpace(line)) == 0
	s.empty, s.signed = blank && len(s.note) > 0, signature
	if !blank || s.empty {
		s.note = append(s.note, line...)
	}
	return ended
}

// above takes away what stands above the text of the note, if anything does.
func (s *splitter) above() (other []byte) {
	at := 0
	for range bytes.Count(s.note, []byte("\n")) - textLines - 1 { // the empty line is one
		at += bytes.IndexByte(s.note[at:], '\n') + 1
	}
	if at > 0 {
		other, s.note = s.note[:at], bytes.Clone(s.note[at:])
	}
	return other
}

// end returns the last note, if there is one left. It need not have the end of its last line.
func (s *splitter) end() []byte {
	if len(s.note) > 0 && !bytes.HasSuffix(s.note, []byte("\n")) {
		s.note = append(s.note, '\n')
	}
	return s.note
}
