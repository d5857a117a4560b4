package readmodel

import (
	"database/sql"
	"strings"
	"testing"
)

func TestADifferenceIsALineThatATerminalCanShow(t *testing.T) {
	row := userRows("7 a")[0]
	hostile := userRows("7 a")[0]
	hostile.Values[1], hostile.Values[3] = text("\x1b[31m\u202e\n"+strings.Repeat("ü", 100)), sql.NullString{}
	hostile.Mistyped = []string{"name"}
	for want, d := range map[string]Difference{
		`users lacks a row (id "a", name "name")`:                   {Table: Users, Offset: 7, Kind: Lacks, Want: row},
		`users has a row that does not belong there (id "a", name `: {Table: Users, Offset: 7, Kind: Adds, Have: hostile},
		`, of another type, and must be "name"; at is NULL and must be "7"`: {
			Table: Users, Offset: 7, Kind: Alters, Columns: []string{"name", "at"}, Want: row, Have: hostile,
		},
	} {
		checkLine(t, d.String(), want)
	}
	for want, d := range map[string]DirectDifference{
		`of user "\x1b\u202e" has a row, and no message`:                        {User: "\x1b\u202e", Conversation: "dm:x", Have: 3},
		`"dm:x" of user "u" has no row`:                                         {User: "u", Conversation: "dm:x", Want: 3},
		`is said to go to offset 2; its newest message is at offset 3`:          {User: "u", Conversation: "dm:x", Want: 3, Have: 2},
		`direct: conversation "` + strings.Repeat("x", maxShown) + `…" of user`: {Conversation: strings.Repeat("x", 999)},
	} {
		checkLine(t, d.String(), want)
	}
}

func checkLine(t *testing.T, line, want string) {
	t.Helper()
	if !strings.Contains(line, want) || len(line) > 500 || strings.ContainsAny(line, "\x1b\n\u202e") {
		t.Errorf("%s\nwant %s", line, want)
	}
}
