package projection

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func delivery(t testing.TB, offset uint64, change func(*nats.Msg)) Delivery {
	t.Helper()
	e := event.NewPosted("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", subject.General, "hi")
	e.Seal()
	m := e.Encode()
	if change != nil {
		change(m)
	}
	return Delivery{
		Offset: offset, At: time.Unix(0, int64(offset)).UTC(),
		Stored: readmodel.Stored{Subject: m.Subject, Header: m.Header, Content: m.Data},
	}
}

func TestDensePicksWhatFollowsWithoutAGap(t *testing.T) {
	for _, test := range []struct {
		name      string
		after     uint64
		delivered []uint64
		dense     []uint64
		gap       uint64
	}{
		{"nothing", 5, nil, nil, 0},
		{"the next ones", 5, []uint64{6, 7, 8}, []uint64{6, 7, 8}, 0},
		{"the first of all", 0, []uint64{1, 2}, []uint64{1, 2}, 0},
		{"only known ones", 5, []uint64{3, 4, 5}, nil, 0},
		{"known ones first", 5, []uint64{4, 5, 6, 7}, []uint64{6, 7}, 0},
		{"known ones between", 5, []uint64{6, 2, 3, 7, 6, 8}, []uint64{6, 7, 8}, 0},
		{"a hole at once", 5, []uint64{7, 8}, nil, 7},
		{"a hole later", 5, []uint64{6, 7, 9, 10}, []uint64{6, 7}, 9},
		{"nothing after a hole counts", 5, []uint64{6, 9, 7, 8}, []uint64{6}, 9},
	} {
		var deliveries []Delivery
		for _, offset := range test.delivered {
			deliveries = append(deliveries, Delivery{Offset: offset})
		}
		dense, gap := Dense(test.after, deliveries)
		var got []uint64
		for _, d := range dense {
			got = append(got, d.Offset)
		}
		if !reflect.DeepEqual(got, test.dense) || gap != test.gap {
			t.Errorf("%s: %v and gap %d, want %v and %d", test.name, got, gap, test.dense, test.gap)
		}
	}
}

func TestProjectSortsEventsIntoRowsDeadLettersAndSkipped(t *testing.T) {
	header := func(name, value string) func(*nats.Msg) {
		return func(m *nats.Msg) { m.Header.Set(name, value) }
	}
	previous := readmodel.Position{Offset: 6, Epoch: "e"}
	deliveries := []Delivery{
		delivery(t, 7, nil),
		delivery(t, 8, func(m *nats.Msg) { m.Data = []byte("changed") }),
		delivery(t, 9, header("Tidemark-Schema", "2")),
		delivery(t, 10, func(m *nats.Msg) { m.Header = nil }),
		delivery(t, 11, nil),
	}
	b, skipped := Project(previous, "e", deliveries)
	if len(b.Messages) != 2 || b.Messages[0].Event.Offset != 7 || b.Messages[1].Event.Offset != 11 {
		t.Errorf("messages %+v", b.Messages)
	}
	if len(b.DeadLetters) != 2 || b.DeadLetters[0].Offset != 8 || b.DeadLetters[1].Offset != 10 ||
		!strings.Contains(b.DeadLetters[0].Reason, "digest") || string(b.DeadLetters[0].Stored.Content) != "changed" {
		t.Errorf("dead letters %+v", b.DeadLetters)
	}
	if skipped != (Skipped{NewerSchema: 1}) {
		t.Errorf("skipped %+v", skipped)
	}
	last := b.Messages[1].Event
	if b.Previous != previous || b.Next != (readmodel.Position{Offset: 11, At: last.At, Epoch: "e", Digest: last.Digest}) {
		t.Errorf("from %+v to %+v", b.Previous, b.Next)
	}
}

func TestProjectSkipsAnUnknownType(t *testing.T) {
	e := event.NewPosted("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", subject.General, "hi")
	e.Type = "message.edited"
	e.Seal()
	m := e.Encode()
	b, skipped := Project(readmodel.Position{}, "e", []Delivery{{Offset: 1, Stored: readmodel.Stored{Subject: m.Subject, Header: m.Header, Content: m.Data}}})
	if len(b.Messages)+len(b.DeadLetters) != 0 || skipped != (Skipped{UnknownType: 1}) || b.Next.Offset != 1 || b.Next.Digest != e.Digest {
		t.Errorf("%+v, %+v", b, skipped)
	}
}

func TestProjectTellsUsersFromMessagesAndFindsWhatIsMisplaced(t *testing.T) {
	ab := subject.Conversation{Kind: subject.DM, Name: subject.PairName("a", "b")}
	sealed := func(typ event.Type, c subject.Conversation, sender, recipient string) Delivery {
		e := event.Event{Schema: event.Schema, Type: typ, ID: "id", Conversation: c, Sender: sender, SenderName: "name", Recipient: recipient}
		e.Seal()
		m := e.Encode()
		return Delivery{At: time.Unix(0, 1).UTC(), Stored: readmodel.Stored{Subject: m.Subject, Header: m.Header, Content: m.Data}}
	}
	own := subject.Conversation{Kind: subject.User, Name: "a"}
	deliveries := []Delivery{
		sealed(event.Registered, own, "a", ""),
		sealed(event.Posted, ab, "b", "a"),
		sealed(event.Posted, ab, "a", "c"), // c's message would be in b's inbox
		sealed(event.Posted, ab, "a", ""),
		sealed(event.Registered, own, "b", ""),
		sealed(event.Registered, subject.General, "a", ""),
		sealed(event.Posted, own, "b", ""),
		sealed("user.renamed", own, "b", ""),
	}
	for i := range deliveries {
		deliveries[i].Offset = uint64(i + 1)
	}
	b, skipped := Project(readmodel.Position{}, "e", deliveries)
	if got := offsets(b.Users); !slices.Equal(got, []uint64{1}) {
		t.Errorf("users at %v", got)
	}
	if got := offsets(b.Messages); !slices.Equal(got, []uint64{2, 7}) {
		t.Errorf("messages at %v", got)
	}
	if len(b.DeadLetters) != 4 || b.DeadLetters[0].Offset != 3 || b.DeadLetters[3].Offset != 6 {
		t.Errorf("dead letters %+v", b.DeadLetters)
	}
	if skipped != (Skipped{UnknownType: 1}) || b.Next.Offset != 8 {
		t.Errorf("skipped %+v, up to %d", skipped, b.Next.Offset)
	}
}

func offsets(rows []readmodel.Row) (list []uint64) {
	for _, r := range rows {
		list = append(list, r.Event.Offset)
	}
	return list
}

func TestProjectRecordsAMissingRange(t *testing.T) {
	b, _ := Project(readmodel.Position{Offset: 3}, "e", []Delivery{delivery(t, 10, nil)})
	if len(b.DeadLetters) != 1 || b.DeadLetters[0].Offset != 4 || b.DeadLetters[0].Through != 9 || len(b.Messages) != 1 || b.Next.Offset != 10 {
		t.Errorf("%+v", b)
	}
}
