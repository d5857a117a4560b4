package readmodel

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
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
	e := event.Event{
		Schema: 1, Type: event.Posted, ID: "018f0000-0000-7000-8000-000000000000",
		Conversation: subject.Conversation{Kind: subject.Room, Name: text},
		Sender:       text, SenderName: text, Recipient: text, Scope: text, Key: text, Content: text,
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := encodedSize(&e); got < len(encoded) {
		t.Errorf("%q: %d, but the JSON has %d bytes", text, got, len(encoded))
	}
}
