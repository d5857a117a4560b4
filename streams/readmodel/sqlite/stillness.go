package sqlite

import (
	"errors"
	"os"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// ErrWritten says that a file was read as one that nobody writes, and was written to meanwhile: what was read of it before can be
// wrong too.
var ErrWritten = errors.New("the database was written to while it was read, because a persister was started or a copy was put in its place: try again")

// written reports whether a file may be open for writing: as long as it is, and after a kill, another is beside it.
func written(path string) bool {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Stat(path + suffix); err == nil {
			return true
		}
	}
	return false
}

// stillness is a file at a moment at which nobody had it open for writing. What is read of it is true as long as it is the same.
type stillness struct {
	path string
	was  os.FileInfo
}

// check returns ErrWritten, Temporary, if the file has changed, which is then also why anything else went wrong. A nil stillness
// never does.
func (s *stillness) check(op string) error {
	if s == nil {
		return nil
	}
	is, err := os.Stat(s.path)
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	if !os.SameFile(is, s.was) || is.Size() != s.was.Size() || !is.ModTime().Equal(s.was.ModTime()) {
		return fault.New(op, fault.Temporary, ErrWritten)
	}
	return nil
}
