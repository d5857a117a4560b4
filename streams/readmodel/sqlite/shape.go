package sqlite

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// shape is how the rows of a table are read. In its questions a wrong offset of 7.5 belongs to 7, and text and bytes are beyond
// every number.
type shape struct {
	table   readmodel.Table
	columns []string
	offset  int    // which column it is
	all     string // selects every row
}

func shapeOf(table readmodel.Table) (shape, error) {
	columns := readmodel.Columns(table)
	if columns == nil {
		return shape{}, fmt.Errorf("there is no table %q", table)
	}
	return shape{
		table: table, columns: columns, offset: slices.Index(columns, "offset"),
		all: `SELECT "` + strings.Join(columns, `", "`) + `" FROM ` + string(table),
	}, nil
}

func (s *shape) spanSQL() string {
	return s.all + ` WHERE "offset" >= ? AND "offset" < ? ORDER BY "offset"`
}

func (s *shape) nextSQL() string {
	return `SELECT min("offset") FROM ` + string(s.table) + ` WHERE "offset" >= ? AND "offset" < ?`
}

// straySQL asks for each kind of stray apart, because only then the index is used. None is NULL: SQLite sees to that much.
func (s *shape) straySQL() string {
	return s.all + ` WHERE "offset" < 1 UNION ALL ` + s.all + ` WHERE "offset" >= 1 + (SELECT "offset" FROM checkpoint)`
}

// scan reads a row whatever is in it.
func (s *shape) scan(rows *sql.Rows) (readmodel.TableRow, error) {
	values := make([]any, len(s.columns))
	to := make([]any, len(values))
	for i := range values {
		to[i] = &values[i]
	}
	if err := rows.Scan(to...); err != nil {
		return readmodel.TableRow{}, err
	}
	row := readmodel.TableRow{Offset: offsetFrom(values[s.offset]), Values: make([]sql.NullString, len(values))}
	for i, value := range values {
		row.Values[i] = textOf(value)
		if row.Values[i].Valid && kindOf(value) != kindOfColumn(s.columns[i], s.table) {
			row.Mistyped = append(row.Mistyped, s.columns[i])
		}
	}
	return row, nil
}

// kind is how SQLite stores a value.
type kind string

const (
	integer kind = "integer"
	real    kind = "real"
	texts   kind = "text"
	blob    kind = "blob"
)

func kindOf(value any) kind {
	switch value.(type) {
	case int64:
		return integer
	case float64:
		return real
	case []byte:
		return blob
	}
	return texts
}

func kindOfColumn(name string, table readmodel.Table) kind {
	switch name {
	case "offset", "at", "through":
		return integer
	case "headers":
		return blob
	case "content":
		if table == readmodel.DeadLetters {
			return blob
		}
	}
	return texts
}

// textOf is a value as text. NULL is not valid.
func textOf(value any) sql.NullString {
	var s string
	switch v := value.(type) {
	case nil:
		return sql.NullString{}
	case int64:
		s = strconv.FormatInt(v, 10)
	case float64:
		s = strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		s = string(v)
	default:
		s = fmt.Sprint(v)
	}
	return sql.NullString{String: s, Valid: true}
}

// offsetFrom is a value as the offset of a TableRow.
func offsetFrom(value any) uint64 {
	switch v := value.(type) {
	case int64:
		return uint64(max(v, 0))
	case float64:
		if v >= 1 && v < lastOffset {
			return uint64(v)
		}
	}
	return 0
}
