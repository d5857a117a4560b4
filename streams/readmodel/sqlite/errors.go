package sqlite

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// failed gives an error of the driver its kind. A damaged file, or rows where
// none can be, need an operator; a full disk, a lock or a cancelled question
// pass.
func failed(op string, err error) error {
	kind := fault.KindOf(err)
	if kind == fault.Unknown {
		kind = fault.Temporary
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the rest says more than is needed here
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH:
			kind = fault.Corrupt
		}
	}
	return fault.New(op, kind, err)
}
