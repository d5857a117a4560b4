package query_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// model answers every question with err, or with what was asked.
type model struct{ err error }

func (m model) After(_ context.Context, r query.AfterRequest) (query.AfterReply, error) {
	for _, c := range r.Conversations {
		if c != subject.Inbox("u") {
			return query.AfterReply{}, m.err
		}
	}
	return query.AfterReply{Through: r.Offset}, m.err
}
func (m model) Page(_ context.Context, r query.PageRequest) (query.PageReply, error) {
	return query.PageReply{Checkpoint: query.Checkpoint{Offset: r.Before}}, m.err
}
func (m model) Moment(_ context.Context, r query.MomentRequest) (query.MomentReply, error) {
	return query.MomentReply{Offset: 3, Checkpoint: query.Checkpoint{At: r.At, Epoch: r.Conversation.Name}}, m.err
}
func (m model) Lookup(_ context.Context, r query.LookupRequest) (query.LookupReply, error) {
	return query.LookupReply{Checkpoint: query.Checkpoint{Epoch: r.Scope + r.Key}}, m.err
}
func (m model) Direct(_ context.Context, r query.DirectRequest) (query.DirectReply, error) {
	return query.DirectReply{Checkpoint: query.Checkpoint{Epoch: fmt.Sprint(r.User, r.Conversations, r.Messages)}}, m.err
}
func (m model) Users(_ context.Context, r query.UsersRequest) (query.UsersReply, error) {
	users := make([]query.User, 0, len(r.IDs))
	for _, id := range r.IDs {
		users = append(users, query.User{ID: id, Name: "name", Offset: uint64(r.Newest), At: time.Unix(1, 2).UTC()})
	}
	return query.UsersReply{Users: users, Cut: true}, m.err
}
func (m model) Checkpoint(context.Context) (query.Checkpoint, error) {
	return query.Checkpoint{Offset: 7}, m.err
}

func TestQuestionsAndErrorsCrossTheWire(t *testing.T) {
	nc := logtest.Start(t).Connect().Conn()
	client := query.NewClient(nc)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	if _, err := client.Checkpoint(ctx); !fault.Is(err, fault.Temporary) {
		t.Errorf("nobody serves: %v, want a temporary error", err)
	}
	for _, c := range []struct {
		err  error
		kind fault.Kind
	}{
		{nil, fault.Unknown},
		{errors.New("disk"), fault.Temporary},
		{fault.New("read", fault.Temporary, errors.New("busy")), fault.Temporary},
		{fault.New("read", fault.Permanent, errors.New("too many conversations")), fault.Permanent},
	} {
		service, err := query.Serve(nc, model{c.err}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		after, err1 := client.After(ctx, query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox("u")}, Offset: 5})
		page, err2 := client.Page(ctx, query.PageRequest{Conversation: subject.General, Before: 6})
		lookup, err3 := client.Lookup(ctx, query.LookupRequest{Scope: "s", Key: "k"})
		checkpoint, err4 := client.Checkpoint(ctx)
		direct, err5 := client.Direct(ctx, query.DirectRequest{User: "u", Conversations: 2, Messages: 3})
		users, err6 := client.Users(ctx, query.UsersRequest{IDs: []string{"a", "\x00<b>"}, Newest: 8})
		at := time.Unix(1_700_000_000, 123456789).UTC()
		moment, err7 := client.Moment(ctx, query.MomentRequest{Conversation: subject.General, At: at})
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
			if fault.KindOf(err) != c.kind || (err == nil) != (c.err == nil) || err != nil && !strings.Contains(err.Error(), c.err.Error()) {
				t.Errorf("question %d: %v (%s), want %v (%s)", i, err, fault.KindOf(err), c.err, c.kind)
			}
		}
		if c.err == nil && (after.Through != 5 || page.Checkpoint.Offset != 6 || lookup.Checkpoint.Epoch != "sk" || checkpoint.Offset != 7) {
			t.Errorf("answers %+v %+v %+v %+v", after, page, lookup, checkpoint)
		}
		if want := (query.Checkpoint{At: at, Epoch: subject.General.Name}); c.err == nil && (moment.Offset != 3 || moment.Checkpoint != want) {
			t.Errorf("answer %+v", moment)
		}
		second := query.User{ID: "\x00<b>", Name: "name", Offset: 8, At: time.Unix(1, 2).UTC()}
		if c.err == nil && (direct.Checkpoint.Epoch != "u2 3" || len(users.Users) != 2 || users.Users[1] != second || !users.Cut) {
			t.Errorf("answers %+v %+v", direct, users)
		}
		if err := service.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	service, err := query.Serve(nc, model{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Stop()
	elsewhere, err := nc.SubscribeSync("audit.checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("tidemark.query.after", "audit.checkpoint", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	reply, err := nc.Request("tidemark.query.after", []byte("{"), time.Second)
	if err != nil || reply.Header.Get("Nats-Service-Error-Code") != "400" {
		t.Errorf("a malformed question: %v, %v", reply, err)
	}
	if n, _, _ := elsewhere.Pending(); n > 0 {
		t.Error("what is no inbox was answered to")
	}
}
