package readmodel

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShown bounds how much of a value is shown, in bytes.
const maxShown = 60

// tells are the columns that tell a person which row it is.
var tells = map[Table][]string{
	Messages:    {"conversation", "sender_name", "content"},
	Users:       {"id", "name"},
	DeadLetters: {"through", "reason"},
}

// String says in a line, free of control characters, what is wrong, without the offset.
func (d Difference) String() string {
	switch d.Kind {
	case Lacks:
		return fmt.Sprintf("%s lacks a row (%s)", d.Table, excerpt(d.Table, d.Want))
	case Adds:
		return fmt.Sprintf("%s has a row that does not belong there (%s)", d.Table, excerpt(d.Table, d.Have))
	}
	columns := Columns(d.Table)
	altered := make([]string, 0, len(d.Columns))
	for _, name := range d.Columns {
		i := slices.Index(columns, name)
		is := shown(d.Have.Values[i])
		if slices.Contains(d.Have.Mistyped, name) {
			is += ", of another type,"
		}
		altered = append(altered, fmt.Sprintf("%s is %s and must be %s", name, is, shown(d.Want.Values[i])))
	}
	return fmt.Sprintf("%s has a row altered: %s", d.Table, strings.Join(altered, "; "))
}

func excerpt(table Table, row TableRow) string {
	columns := Columns(table)
	var parts []string
	for _, name := range tells[table] {
		parts = append(parts, name+" "+shown(row.Values[slices.Index(columns, name)]))
	}
	return strings.Join(parts, ", ")
}

// shown is the beginning of a value in quotes, or NULL.
func shown(v sql.NullString) string {
	if !v.Valid {
		return "NULL"
	}
	return fmt.Sprintf("%q", begin(v.String))
}

// begin cuts text to what is shown of it, between two characters.
func begin(text string) string {
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// String says in a line, free of control characters, what is wrong.
func (d DirectDifference) String() string {
	whose := fmt.Sprintf("direct: conversation %q of user %q", begin(d.Conversation), begin(d.User))
	switch {
	case d.Want == 0:
		return whose + " has a row, and no message"
	case d.Have == 0:
		return fmt.Sprintf("%s has no row, or one without an offset; its newest message is at offset %d", whose, d.Want)
	}
	return fmt.Sprintf("%s is said to go to offset %d; its newest message is at offset %d", whose, d.Have, d.Want)
}
