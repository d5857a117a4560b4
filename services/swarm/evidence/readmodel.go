package evidence

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	// MostLookups is how many keys are looked up: of more, so many, evenly spread.
	MostLookups = 5000
	// usersAtOnce is how many users are asked for in one question.
	usersAtOnce = 500
	// answerWithin is how long one question may take before it is asked again.
	answerWithin = 5 * time.Second
)

// ReadModel waits until the read model has projected what was read of the log, and compares every conversation, every
// inbox, every user and the keys with it, in what both hold. Where ctx ends while the read model stands still behind the
// log, that is a finding; where it ends otherwise, or nobody answers, an error.
//
// What cannot be asked for is not compared: a conversation of which the log holds nothing.
func ReadModel(ctx context.Context, nc *nats.Conn, reading Reading, progress Progress) ([]oracle.Finding, error) {
	c := &comparison{
		model: query.NewClient(nc), after: reading.Log.After, head: reading.Log.Head, epoch: reading.Log.Epoch,
		projection: project(reading.Events), progress: progress,
	}
	c.lookups = spread(c.keyed, MostLookups)
	c.total = uint64(len(c.conversations) + len(c.inboxes) + len(c.users) + len(c.lookups))
	if ok, err := c.reach(ctx); !ok || err != nil {
		return c.found.All(), err
	}
	for _, compare := range []func(context.Context) error{c.compareConversations, c.compareInboxes, c.compareUsers, c.compareKeys} {
		if err := compare(ctx); err != nil {
			return c.found.All(), err
		}
	}
	return c.found.All(), nil
}

// comparison compares a read model with a log, in after < offset <= head.
type comparison struct {
	model       query.Model
	after, head uint64
	epoch       string
	projection
	lookups []event.Event
	found   oracle.Findings

	progress    Progress
	done, total uint64
}

func (c *comparison) did(n int) {
	for range n {
		c.done++
		c.progress.at(c.done, c.total)
	}
}

// reach waits until the read model has projected the head. It is false if that is never to be.
func (c *comparison) reach(ctx context.Context) (bool, error) {
	var last *query.Checkpoint
	for {
		checkpoint, err := ask(ctx, c.model.Checkpoint)
		switch {
		case err != nil && last == nil:
			return false, err
		case err != nil:
			c.found.Add(oracle.ReadModel, finding(last.Offset, "The read model stands at %d, the log is at %d.", last.Offset, c.head))
			return false, nil
		case checkpoint.Offset > 0 && checkpoint.Epoch != c.epoch:
			c.found.Add(oracle.ReadModel, finding(checkpoint.Offset, "The read model is of another log: of the epoch %q, the log's is %q.", checkpoint.Epoch, c.epoch))
			return false, nil
		case checkpoint.Offset >= c.head:
			return true, nil
		}
		last = &checkpoint
		_ = wait(ctx) // where ctx has ended, the next question says so
	}
}

func (c *comparison) differ(what string, all []difference) {
	for _, d := range all {
		c.found.Add(oracle.ReadModel, finding(d.offset, "The read model's answer about %s %s.", what, d.text))
	}
}

func (c *comparison) compareConversations(ctx context.Context) error {
	for _, conversation := range slices.SortedFunc(maps.Keys(c.conversations), byName) {
		got, err := c.pages(ctx, conversation)
		if err != nil {
			return err
		}
		c.differ(conversation.String(), compare(c.conversations[conversation], got))
		c.did(1)
	}
	return nil
}

func byName(a, b subject.Conversation) int { return cmp.Compare(a.String(), b.String()) }

// pages reads a conversation page by page, the newest first, and returns it by ascending offset.
func (c *comparison) pages(ctx context.Context, conversation subject.Conversation) (all []event.Event, err error) {
	for before := c.head + 1; before > c.after+1; {
		page, err := ask(ctx, func(ctx context.Context) (query.PageReply, error) {
			return c.model.Page(ctx, query.PageRequest{Conversation: conversation, Before: before})
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Events...)
		if len(page.Events) == 0 || !page.More {
			break
		}
		next := page.Events[len(page.Events)-1].Offset
		if next >= before {
			c.found.Add(oracle.ReadModel, finding(next, "A page of %s before %d reaches to %d.", conversation, before, next))
			break
		}
		before = next
	}
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(e event.Event) bool { return e.Offset <= c.after || e.Offset > c.head }), nil
}

func (c *comparison) compareInboxes(ctx context.Context) error {
	for _, user := range slices.Sorted(maps.Keys(c.inboxes)) {
		got, err := c.inbox(ctx, user)
		if err != nil {
			return err
		}
		c.differ("the inbox of "+user, compare(c.inboxes[user], got))
		c.did(1)
	}
	return nil
}

// inbox reads what follows an offset for a user, as a gateway does for one who comes back.
func (c *comparison) inbox(ctx context.Context, user string) (all []event.Event, err error) {
	for cursor := c.after; cursor < c.head; {
		reply, err := ask(ctx, func(ctx context.Context) (query.AfterReply, error) {
			return c.model.After(ctx, query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox(user)}, Offset: cursor})
		})
		if err != nil {
			return nil, err
		}
		all = append(all, reply.Events...)
		if reply.Through <= cursor {
			c.found.Add(oracle.ReadModel, finding(cursor, "The read model's answer about the inbox of %s after %d does not go on.", user, cursor))
			break
		}
		cursor = reply.Through
	}
	return slices.DeleteFunc(all, func(e event.Event) bool { return e.Offset > c.head }), nil
}

func (c *comparison) compareUsers(ctx context.Context) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(c.users)), usersAtOnce) {
		reply, err := ask(ctx, func(ctx context.Context) (query.UsersReply, error) {
			return c.model.Users(ctx, query.UsersRequest{IDs: ids})
		})
		if err != nil {
			return err
		}
		c.compareNamed(ids, reply.Users)
		c.did(len(ids))
	}
	newest, err := ask(ctx, func(ctx context.Context) (query.UsersReply, error) {
		return c.model.Users(ctx, query.UsersRequest{Newest: query.MaxUsers})
	})
	for _, u := range newest.Users {
		if _, ok := c.users[u.ID]; !ok && u.Offset > c.after && u.Offset <= c.head {
			c.found.Add(oracle.ReadModel, finding(u.Offset, "The read model holds in addition the user %s (%q) of %d.", u.ID, u.Name, u.Offset))
		}
	}
	return err
}

func (c *comparison) compareNamed(ids []string, got []query.User) {
	byID := make(map[string]query.User, len(got))
	for _, u := range got {
		byID[u.ID] = u
	}
	for _, id := range ids {
		want := c.users[id]
		if u, ok := byID[id]; !ok {
			c.found.Add(oracle.ReadModel, finding(want.Offset, "The read model lacks the user %s, who registered at %d.", id, want.Offset))
		} else if !sameUser(u, want) {
			c.found.Add(oracle.ReadModel, finding(want.Offset, "The read model holds the user %s otherwise: %+v, and the log %+v.", id, u, want))
		}
	}
}

func (c *comparison) compareKeys(ctx context.Context) error {
	for i := range c.lookups {
		want := &c.lookups[i]
		reply, err := ask(ctx, func(ctx context.Context) (query.LookupReply, error) {
			return c.model.Lookup(ctx, query.LookupRequest{Scope: want.Scope, Key: want.Key})
		})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("the key %q of %s", want.Key, want.Scope)
		if reply.Event == nil {
			c.differ(what, []difference{{want.Offset, "lacks " + name(want)}})
		} else if reply.Event.Offset != want.Offset || altered(want, reply.Event) != "" {
			c.differ(what, []difference{{want.Offset, "is " + name(reply.Event) + " and not " + name(want) + " as in the log: " + altered(want, reply.Event)}})
		}
		c.did(1)
	}
	return nil
}

// spread is so many events at most, evenly spread over all.
func spread(events []event.Event, most int) []event.Event {
	if len(events) <= most {
		return events
	}
	picked := make([]event.Event, most)
	for i := range picked {
		picked[i] = events[i*len(events)/most]
	}
	return picked
}

// ask asks until there is an answer that is not temporary, or ctx ends.
func ask[Reply any](ctx context.Context, question func(context.Context) (Reply, error)) (Reply, error) {
	for {
		within, cancel := context.WithTimeout(ctx, answerWithin)
		reply, err := question(within)
		cancel()
		if err == nil || !fault.Is(err, fault.Temporary) || ctx.Err() != nil {
			return reply, err
		}
		if wait(ctx) != nil {
			return reply, err
		}
	}
}
