package readmodel

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestEncodedSizeIsNeverLessThanTheJSON(t *testing.T) {
	for _, text := range []string{
		"", "plain", "<>&\"\\", "\x00\x1f\n\t\x7f", "日本 zoë", "\u2028\u2029", "\xff\xfe", "\xe2\x80", string(rune(0xfffd)),
	} {
		checkSize(t, text)
	}
}

func FuzzEncodedSize(f *testing.F) {
	f.Add("<\x00\xff")
	f.Fuzz(func(t *testing.T, text string) { checkSize(t, text) })
}

func checkSize(t *testing.T, text string) {
	text = strings.Repeat(text, 50)
	at := time.Unix(1_700_000_000, 123_456_789).UTC()
	e := event.Event{
		Offset: math.MaxUint64, At: at,
		Schema: 1, Type: event.Posted, ID: "018f0000-0000-7000-8000-000000000000",
		Conversation: subject.Conversation{Kind: subject.Room, Name: text},
		Sender:       text, SenderName: text, Recipient: text, Scope: text, Key: text, Content: text,
	}
	u := query.User{ID: text, Name: text, Offset: math.MaxUint64, At: at}
	for value, got := range map[any]int{e: encodedSize(&e), u: encodedUser(&u)} {
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if got < len(encoded)+len(",") {
			t.Errorf("%q: %d, but the JSON has %d bytes", text, got, len(encoded))
		}
	}
}

func TestAsManyUsersAsMayBeAskedForFitIfTheirNamesAreAsNamesAre(t *testing.T) {
	users := make([]query.User, query.MaxUsers)
	for i := range users {
		users[i] = query.User{ID: "018f0000-0000-7000-8000-000000000000", Name: "Wolfgang Amadeus Zoë"}
	}
	if n := CutUsers(users); n != len(users) {
		t.Errorf("%d of %d", n, len(users))
	}
}
