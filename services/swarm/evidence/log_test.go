package evidence_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/swarm/evidence"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func background(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// loose makes a log from which events can be deleted.
func loose(t *testing.T, s *logtest.Server) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	js := s.Connect()
	stream, err := js.CreateStream(background(t), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{subject.All}})
	if err != nil {
		t.Fatal(err)
	}
	return js, stream
}

// registered is the event of a new user.
func registered(t *testing.T, id string) event.Event {
	t.Helper()
	e, err := event.NewRegistered(id, "Name of "+id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// direct is a sealed direct message.
func direct(t *testing.T, from, to, content string) event.Event {
	t.Helper()
	e := logtest.Message(t, "", content)
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
	e.Sender, e.SenderName, e.Recipient, e.Key = from, "Name of "+from, to, "key of "+content
	e.Scope = event.Scope("user:"+from, e.Conversation)
	e.Seal()
	return e
}

func rulesAt(found []oracle.Finding) (all []string) {
	for _, f := range found {
		all = append(all, fmt.Sprintf("%s %d", f.Rule, f.Offset))
	}
	return all
}

func TestALogIsReadAsItIs(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	newer := logtest.Message(t, "general", "of the future")
	newer.Schema = 2
	newer.Seal()
	keyed := logtest.Keyed(t, "general", "hello", "k")
	logtest.Publish(t, js, registered(t, "u1"), keyed, newer, direct(t, "u1", "u2", "psst")) // 1 to 4
	logtest.Fill(t, js, 2000, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i)) })

	var done, total []uint64
	r, found, err := evidence.ReadLog(background(t), s.URL(), "", 0, func(d, n uint64) { done, total = append(done, d), append(total, n) })
	if err != nil || len(found) > 0 {
		t.Fatalf("%v, %+v", err, found)
	}
	if r.Log.Head != 2004 || r.Log.After != 0 || r.Log.Observed || len(r.Log.Messages) != 2002 || len(r.Events) != 2003 || r.Unknown != 1 || r.Log.Epoch == "" {
		t.Errorf("head %d, %d messages, %d events, %d unknown, epoch %q", r.Log.Head, len(r.Log.Messages), len(r.Events), r.Unknown, r.Log.Epoch)
	}
	m := r.Log.Messages[0]
	if m.Offset != 2 || m.ID != keyed.ID || m.Content != "hello" || m.Key != "k" || m.Scope != "guest/room:general" || m.Conversation != subject.General {
		t.Errorf("%+v", m)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", m.At); err != nil {
		t.Error(err)
	}
	if dm := r.Log.Messages[1]; dm.From != "u1" || dm.Username != "Name of u1" || dm.To != "u2" || dm.Offset != 4 {
		t.Errorf("%+v", dm)
	}
	if !slices.Equal(done, []uint64{1000, 2000, 2004}) || total[0] != 2004 {
		t.Errorf("progress %v of %v", done, total)
	}
}

func TestALogIsReadFromAnOffset(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 10, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i)) })
	for _, after := range []uint64{0, 4, 9, 10} {
		r, found, err := evidence.ReadLog(background(t), s.URL(), "", after, nil)
		if err != nil || len(found) > 0 || uint64(len(r.Log.Messages)) != 10-after || r.Log.After != after || r.Log.Head != 10 {
			t.Errorf("after %d: %v, %v, %+v", after, err, found, r.Log)
		}
	}
	if _, _, err := evidence.ReadLog(background(t), s.URL(), "", 11, nil); !fault.Is(err, fault.Permanent) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestHolesAreFound(t *testing.T) {
	for _, c := range []struct {
		deleted []uint64
		want    []string
	}{
		{nil, nil},
		{[]uint64{1}, []string{"dense 1"}},
		{[]uint64{4}, []string{"dense 4"}},
		{[]uint64{4, 5, 7}, []string{"dense 4", "dense 7"}},
		{[]uint64{9, 10}, []string{"dense 9"}},
		{[]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []string{"dense 1"}},
	} {
		s := logtest.Start(t)
		js, stream := loose(t, s)
		for i := range 10 {
			logtest.Publish(t, js, logtest.Message(t, "general", fmt.Sprint(i)))
		}
		for _, offset := range c.deleted {
			if err := stream.DeleteMsg(background(t), offset); err != nil {
				t.Fatal(err)
			}
		}
		r, found, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
		if err != nil || !slices.Equal(rulesAt(found), c.want) || len(r.Events) != 10-len(c.deleted) {
			t.Errorf("without %v: %v, found %+v, want %v", c.deleted, err, found, c.want)
		}
	}
}

func TestDamageIsFound(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	altered, headless := logtest.Message(t, "general", "was this"), logtest.Message(t, "general", "x")
	m := altered.Encode()
	m.Data = []byte("is that")
	bare := headless.Encode()
	bare.Header.Del("Tidemark-Type")
	logtest.Publish(t, js, logtest.Message(t, "general", "first"))
	if _, err := js.PublishMsg(background(t), m); err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(background(t), bare); err != nil {
		t.Fatal(err)
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "last"))
	r, found, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
	if err != nil || !slices.Equal(rulesAt(found), []string{"digest 2", "digest 3"}) || len(r.Log.Messages) != 2 {
		t.Errorf("%v, found %+v, %+v", err, found, r.Log)
	}
}

func TestALogThatCannotBeReadIsAnError(t *testing.T) {
	s := logtest.Start(t)
	s.Provision(logtest.Config())
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := evidence.ReadLog(ended, s.URL(), "", 0, nil); !fault.Is(err, fault.Temporary) {
		t.Errorf("ctx ended: %v", err)
	}
	s.Stop()
	if _, _, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil); !fault.Is(err, fault.Temporary) {
		t.Errorf("no server: %v", err)
	}
}
