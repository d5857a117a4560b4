package verify

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// describe says what differs in a line.
func describe(d readmodel.Difference) string {
	switch d.Kind {
	case readmodel.Lacks:
		return fmt.Sprintf("%s lacks the row of this event", d.Table)
	case readmodel.Adds:
		return fmt.Sprintf("%s has a row that does not belong there (%s)", d.Table, excerpt(d.Table, d.Have))
	}
	columns := readmodel.Columns(d.Table)
	var altered []string
	for _, name := range d.Columns {
		i := slices.Index(columns, name)
		is := value(d.Have.Values[i])
		if slices.Contains(d.Have.Mistyped, name) {
			is += ", of another type"
		}
		altered = append(altered, fmt.Sprintf("%s is %s and must be %s", name, is, value(d.Want.Values[i])))
	}
	return fmt.Sprintf("%s has the row altered: %s", d.Table, strings.Join(altered, "; "))
}

// tells are the columns that tell a person which row it is.
var tells = map[readmodel.Table][]string{
	readmodel.Messages:    {"conversation", "sender_name", "content"},
	readmodel.Users:       {"id", "name"},
	readmodel.DeadLetters: {"through", "reason"},
}

func excerpt(table readmodel.Table, row readmodel.TableRow) string {
	columns := readmodel.Columns(table)
	var parts []string
	for _, name := range tells[table] {
		parts = append(parts, name+" "+value(row.Values[slices.Index(columns, name)]))
	}
	return strings.Join(parts, ", ")
}

// value is a value as it may be shown.
func value(v sql.NullString) string {
	if !v.Valid {
		return "NULL"
	}
	return fmt.Sprintf("%q", short(v.String))
}

func describeDirect(d readmodel.DirectDifference) string {
	whose := fmt.Sprintf("direct: conversation %q of user %q", short(d.Conversation), short(d.User))
	switch {
	case d.Have == 0:
		return fmt.Sprintf("%s has no row; its newest message is at offset %d", whose, d.Want)
	case d.Want == 0:
		return fmt.Sprintf("%s has a row, and no message", whose)
	}
	return fmt.Sprintf("%s is said to go to offset %d; its newest message is at offset %d", whose, d.Have, d.Want)
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
