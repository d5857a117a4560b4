package readmodel

import (
	"context"
	"database/sql"
	"iter"
)

// Table is a table that has one row for each offset that concerns it.
type Table string

// The tables that are compared row by row. What else there is follows from them.
const (
	Messages    Table = "messages"
	Users       Table = "users"
	DeadLetters Table = "dead_letter"
)

// Tables are those that are compared row by row.
var Tables = []Table{Messages, Users, DeadLetters}

// TableRow is a row as a table has it, each column as text, in the order of Columns: what a database with a wrong value in it
// can still be read as. What the persister writes is a Row.
type TableRow struct {
	Offset uint64 // without the fraction that a wrong one can have; 0 if it is no positive number
	Values []sql.NullString
	// Mistyped are the columns whose value is not of the column's type, such as bytes where text belongs. It can look the
	// same as text, but a question would not find it.
	Mistyped []string
}

// Reader reads a read model as a whole, to compare it with the log or with another. It is opened so that nothing can be
// written, also while a persister writes; what is at or below a checkpoint that was read does not change any more.
type Reader interface {
	// Position is how far the read model is.
	Position(ctx context.Context) (Position, error)

	// Rows are the rows of a table with after < offset <= through, by ascending offset. An error ends them. They come as they
	// are read, over several short transactions.
	Rows(ctx context.Context, table Table, after, through uint64) iter.Seq2[TableRow, error]

	// Strays are the rows of a table that no persister can have written, because their offset is no positive number or is beyond
	// the checkpoint, as of one moment. Except for those beyond, Rows never gives them.
	Strays(ctx context.Context, table Table) iter.Seq2[TableRow, error]

	// KeyAt is the offset of the message that has a scope and key, and UserAt that of the registration of a user: 0 if none has.
	KeyAt(ctx context.Context, scope, key string) (uint64, error)
	UserAt(ctx context.Context, id string) (uint64, error)

	// Direct says where the table of direct conversations is not what follows from the messages, as of one moment.
	Direct(ctx context.Context) iter.Seq2[DirectDifference, error]

	Name() string // for an operator
	Close() error
}

// DirectDifference is one row of the table of direct conversations that is missing, wrong or too much.
type DirectDifference struct {
	User, Conversation string
	Want, Have         uint64 // offset of the newest message; 0: none, or no row
}
