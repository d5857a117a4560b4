package modeltest

import (
	"context"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// reference is a read model without a database: a list of events, looked through
// from one end to the other for each question. It takes no wrong questions.
type reference struct {
	messages   []event.Event // ascending offset
	users      []query.User  // ascending offset
	checkpoint query.Checkpoint
}

var _ query.Model = (*reference)(nil)

func (m *reference) project(events ...event.Event) {
	for _, e := range events {
		m.checkpoint = query.Checkpoint{Offset: e.Offset, At: e.At, Epoch: Epoch}
		switch {
		case e.Message() && !slices.ContainsFunc(m.messages, func(o event.Event) bool {
			return e.Key != "" && o.Key == e.Key && o.Scope == e.Scope
		}):
			m.messages = append(m.messages, e)
		case !e.Message() && !slices.ContainsFunc(m.users, func(u query.User) bool { return u.ID == e.Sender }):
			m.users = append(m.users, query.User{ID: e.Sender, Name: e.SenderName, Offset: e.Offset, At: e.At})
		}
	}
}

// find returns the messages that fit, never nil.
func (m *reference) find(fits func(e *event.Event) bool) []event.Event {
	found := []event.Event{}
	for i := range m.messages {
		if fits(&m.messages[i]) {
			found = append(found, m.messages[i])
		}
	}
	return found
}

func newestFirst[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func direct(e *event.Event, user string) bool {
	return e.Conversation.Kind == subject.DM && (e.Sender == user || e.Recipient == user)
}

func (m *reference) After(_ context.Context, r query.AfterRequest) (query.AfterReply, error) {
	found := m.find(func(e *event.Event) bool {
		return e.Offset > r.Offset && slices.ContainsFunc(r.Conversations, func(c subject.Conversation) bool {
			user, inbox := c.InboxOf()
			return inbox && direct(e, user) || !inbox && e.Conversation == c
		})
	})
	n := readmodel.Cut(found[:min(r.Limit, len(found))])
	return query.AfterReply{Events: found[:n], Through: readmodel.Reach(found, n, false, m.checkpoint.Offset), Checkpoint: m.checkpoint}, nil
}

func (m *reference) Page(_ context.Context, r query.PageRequest) (query.PageReply, error) {
	found := newestFirst(m.find(func(e *event.Event) bool {
		return e.Conversation == r.Conversation && (r.Before == 0 || e.Offset < r.Before)
	}))
	n := readmodel.Cut(found[:min(r.Limit, len(found))])
	return query.PageReply{Events: found[:n], More: n < len(found), Checkpoint: m.checkpoint}, nil
}

// Moment takes it that times ascend.
func (m *reference) Moment(_ context.Context, r query.MomentRequest) (query.MomentReply, error) {
	reply := query.MomentReply{Checkpoint: m.checkpoint}
	for _, e := range m.find(func(e *event.Event) bool { return e.Conversation == r.Conversation && !e.At.After(r.At) }) {
		reply.Offset = e.Offset
	}
	return reply, nil
}

func (m *reference) Lookup(_ context.Context, r query.LookupRequest) (query.LookupReply, error) {
	reply := query.LookupReply{Checkpoint: m.checkpoint}
	for _, e := range m.find(func(e *event.Event) bool { return e.Scope == r.Scope && e.Key == r.Key }) {
		reply.Event = &e
	}
	return reply, nil
}

func (m *reference) Direct(_ context.Context, r query.DirectRequest) (query.DirectReply, error) {
	var order []subject.Conversation
	of := make(map[subject.Conversation][]event.Event)
	for _, e := range newestFirst(m.find(func(e *event.Event) bool { return direct(e, r.User) })) {
		if of[e.Conversation] == nil {
			order = append(order, e.Conversation)
		}
		of[e.Conversation] = append(of[e.Conversation], e)
	}
	events := []event.Event{}
	order = order[:min(r.Conversations, len(order))]
	for _, c := range order {
		events = append(events, readmodel.Share(of[c][:min(r.Messages, len(of[c]))], len(order))...)
	}
	return query.DirectReply{Events: events[:readmodel.Cut(events)], Checkpoint: m.checkpoint}, nil
}

func (m *reference) Users(_ context.Context, r query.UsersRequest) (query.UsersReply, error) {
	users := newestFirst(m.users)
	if len(r.IDs) > 0 {
		users = slices.DeleteFunc(users, func(u query.User) bool { return !slices.Contains(r.IDs, u.ID) })
	} else {
		users = users[:min(r.Newest, len(users))]
	}
	n := readmodel.CutUsers(users)
	return query.UsersReply{Users: append([]query.User{}, users[:n]...), Cut: n < len(users), Checkpoint: m.checkpoint}, nil
}

func (m *reference) Checkpoint(context.Context) (query.Checkpoint, error) { return m.checkpoint, nil }
