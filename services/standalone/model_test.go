package standalone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
)

// smallTail are settings of gateways that soon need the read model.
var smallTail = []string{shortLease, "TIDEMARK_GATEWAY_TAIL_BYTES=64KiB", "TIDEMARK_GATEWAY_WARM_EVENTS=0"}

// latest is how many messages with each user are in the list of users at least.
const latest = 20

// TestThePersisterKilledUsersAndHistoryAreWhole writes while the persister is
// away, more than gateways remember. Right after it is back all is there.
func TestThePersisterKilledUsersAndHistoryAreWhole(t *testing.T) {
	t.Parallel()
	d := deploy(t, smallTail...)
	ann, bob, cat := d.joins("ann", 0), d.joins("bob", 1), d.joins("cat", 0)
	said := map[*person][]string{} // to ann and from ann, by the other
	converse := func(messages int) {
		for n := range messages {
			for _, other := range []*person{bob, cat} {
				text := fmt.Sprintf("%s %d %s", other.name, len(said[other]), strings.Repeat("x", 1000))
				if n%2 == 0 {
					ann.must(to{user: other}, text)
				} else {
					other.must(to{user: ann}, text)
				}
				said[other] = append(said[other], text)
			}
		}
	}
	converse(30)
	for round := range 2 {
		d.persister.kill()
		converse(35)
		late := d.joins(fmt.Sprint("late ", round), 1)
		if round == 1 { // and a gateway that remembers nothing
			d.gateways[0].kill()
			d.gateways[0].start()
		}
		d.persister.start()
		for gateway := range d.gateways {
			tab := d.comes(&person{name: "ann", at: gateway, session: ann.session, id: ann.id})
			users := listed(t, tab.await("users").Event)
			for other, texts := range said {
				if got := contents(users[other.id]); len(got) < latest || !slices.Equal(got, texts[len(texts)-len(got):]) {
					t.Errorf("round %d, gateway %d: the list has %d messages with %s, not the latest: %.20q", round, gateway, len(got), other.name, got)
				}
				if got := contents(tab.historyWith(other)); !slices.Equal(got, texts) {
					t.Errorf("round %d, gateway %d: the history with %s has %d messages, want %d: %.20q", round, gateway, other.name, len(got), len(texts), got)
				}
				if got := contents(tab.forwardsWith(other)); !slices.Equal(got, texts) {
					t.Errorf("round %d, gateway %d: forwards the history with %s has %d messages, want %d: %.20q", round, gateway, other.name, len(got), len(texts), got)
				}
			}
			if _, listed := users[late.id]; !listed || !tab.sees(late) {
				t.Errorf("round %d, gateway %d: who registered while the persister was away is not listed as connected", round, gateway)
			}
			tab.leave()
		}
	}
	events := d.events()
	audit(t, events, ann, bob, cat)
	waitProjected(t, d.persister.address, uint64(len(events)))
	auditReadModel(t, events, dump(t, d.database()))
}

// TestTheReadModelRebuiltIsTheSame deletes the read model: what the database
// holds and what users are shown is what it was.
func TestTheReadModelRebuiltIsTheSame(t *testing.T) {
	t.Parallel()
	d := deploy(t, smallTail...)
	people := []*person{d.joins("ann", 0, "kitchen"), d.joins("bob", 1, "kitchen"), d.joins("cat", 0), d.joins("dan", 1)}
	gone := d.joins("gone", 0)
	for n := range 25 {
		for i, p := range people {
			p.must(to{user: people[(i+1+n%3)%len(people)]}, fmt.Sprint(p.name, n, strings.Repeat("y", 500)))
		}
		people[n%2].must(to{room: "kitchen"}, fmt.Sprint("kitchen ", n, strings.Repeat("z", 500)))
	}
	people[0].must(to{user: people[0]}, "to myself")
	people[0].must(to{user: gone}, "to somebody who is not here")
	gone.leave()
	last := people[0].must(to{room: "kitchen"}, "the end").Offset
	waitProjected(t, d.persister.address, last)
	eventually(t, "nobody sees who left", func() bool { return !people[0].sees(gone) && !people[1].sees(gone) })

	shown := func(gateway int) (all []string) {
		tab := d.comes(&person{name: "ann", at: gateway, rooms: people[0].rooms, session: people[0].session, id: people[0].id})
		defer tab.leave()
		list := tab.await("users").Args[0]
		all = append(all, string(list))
		for _, other := range append(people, gone) {
			posts := tab.historyWith(other)
			all = append(all, fmt.Sprint(posts))
			for _, post := range posts {
				page := tab.page(map[string]any{"with": other.id, "at": post.At, "limit": 1})
				if len(page.Messages) != 1 || page.Messages[0].At != post.At || page.Messages[0].Offset < post.Offset {
					t.Errorf("with %s at %s: %+v, not %d or another of that time", other.name, post.At, page.Messages, post.Offset)
				}
			}
		}
		return append(all, fmt.Sprint(tab.history(map[string]any{"room": "kitchen"})))
	}
	before := [][]string{shown(0), shown(1)}
	if !slices.Equal(before[0], before[1]) {
		t.Errorf("two gateways show\n%.2000q\nand\n%.2000q", before[0], before[1])
	}
	d.persister.stop()
	tables := dump(t, d.database())
	auditReadModel(t, d.events(), tables)
	deleteDatabase(t, d.database())
	d.persister.start()
	tab := d.comes(&person{name: "ann", at: 0, session: people[0].session, id: people[0].id})
	if got := fmt.Sprint(tab.historyWith(people[1])); got != before[0][2] { // at once: late, or whole
		t.Errorf("during the rebuild the history is %.500q, was %.500q", got, before[0][2])
	}
	waitProjected(t, d.persister.address, last)
	sameTables(t, tables, dump(t, d.database()))
	for i := range d.gateways {
		if after := shown(i); !slices.Equal(after, before[i]) {
			t.Errorf("gateway %d shows\n%.2000q\nand did show\n%.2000q", i, after, before[i])
		}
	}
}

// TestTheListOfUsersAndWhatFollowsFitTogether opens one tab after the other, with
// no offset, while messages come: what the list holds and what comes after it is
// everything, and nothing twice.
func TestTheListOfUsersAndWhatFollowsFitTogether(t *testing.T) {
	t.Parallel()
	d := deploy(t, smallTail...)
	ann, bob, cat := d.joins("ann", 0), d.joins("bob", 1), d.joins("cat", 0)
	talk := d.talk()
	talk.padding = strings.Repeat("p", 1000)
	talk.of(ann, to{user: bob}, to{user: cat})
	talk.of(bob, to{user: ann}, to{user: cat})
	talk.of(cat, to{user: ann}, to{user: bob})
	talk.on(30) // more than the tail holds
	var tabs []tab
	for i := range 16 {
		tabs = append(tabs, opens(t, d.gateways[i%2], bob.session))
	}
	talk.stop()
	events := d.events()
	for i, tab := range tabs {
		if wrong := tab.unaccounted(events, bob.id); len(wrong) > 0 {
			e := wrong[0]
			t.Errorf("tab %d has %d of %.60q in the list or after it, up to %d; %d are wrong", i, tab.times(e), e.Content, tab.last, len(wrong))
		}
	}
	audit(t, events, ann, bob, cat)
}

// tab is what a connection was sent: with the list of users, and then.
type tab struct {
	listed map[string][]gatewaytest.Post // by the other user
	posts  []gatewaytest.Post
	last   uint64 // offset
}

// opens connects with a session and no offset, for some messages.
func opens(t *testing.T, gateway *process, session string) (opened tab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	c, err := gatewaytest.Dial(ctx, gateway.address, map[string]any{"sessionID": session})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	messages := 0
	events, err := c.Until(ctx, func(e gatewaytest.Event) bool {
		if e.Post != nil {
			messages++
		}
		return messages == 5
	})
	if err != nil {
		t.Fatal(err)
	}
	opened.posts = gatewaytest.Posts(events)
	opened.last = opened.posts[len(opened.posts)-1].Offset
	for _, e := range events {
		if e.Name == "users" {
			opened.listed = listed(t, e)
		}
	}
	return opened
}

// unaccounted is the direct messages of a user that the tab should have had once
// and had not.
func (o tab) unaccounted(events []event.Event, user string) (wrong []*event.Event) {
	for i := range events[:o.last] {
		e := &events[i]
		if !e.Message() || e.Sender != user && e.Recipient != user {
			continue
		}
		list := o.listed[other(e, user)]
		if o.times(e) != 1 && !(len(list) >= latest && e.Offset < list[0].Offset) {
			wrong = append(wrong, e)
		}
	}
	return wrong
}

// times is how often a message was sent to the tab.
func (o tab) times(e *event.Event) (n int) {
	for _, post := range slices.Concat(o.posts, o.listed[e.Sender], o.listed[e.Recipient]) {
		if post.Offset == e.Offset {
			n++
		}
	}
	return n
}

func other(e *event.Event, user string) string {
	if e.Sender == user {
		return e.Recipient
	}
	return e.Sender
}

// listed is the messages with each user in a "users" event.
func listed(t testing.TB, e gatewaytest.Event) map[string][]gatewaytest.Post {
	t.Helper()
	var list []gatewaytest.Listed
	if err := json.Unmarshal(e.Args[0], &list); err != nil {
		t.Fatal(err)
	}
	users := map[string][]gatewaytest.Post{}
	for _, u := range list {
		users[u.UserID] = u.Messages
	}
	return users
}

func contents(posts []gatewaytest.Post) (texts []string) {
	for _, p := range posts {
		texts = append(texts, p.Content)
	}
	return texts
}

func (p *person) historyWith(other *person) []gatewaytest.Post {
	p.t.Helper()
	return p.history(map[string]any{"with": other.id})
}

// history is a whole conversation, page by page.
func (p *person) history(question map[string]any) (all []gatewaytest.Post) {
	p.t.Helper()
	question["limit"] = 17
	for {
		page := p.page(question)
		all = append(page.Messages, all...)
		if !page.More {
			return all
		}
		question["before"] = page.Messages[0].Offset
	}
}

// forwardsWith is historyWith from the first page to the last.
func (p *person) forwardsWith(other *person) (all []gatewaytest.Post) {
	p.t.Helper()
	for after := uint64(0); ; after = all[len(all)-1].Offset {
		page := p.page(map[string]any{"with": other.id, "limit": 17, "after": after})
		all = append(all, page.Messages...)
		if !page.More {
			return all
		}
	}
}

// page asks for a page of history, again if it is not answered.
func (p *person) page(question map[string]any) (page gatewaytest.Page) {
	p.t.Helper()
	eventually(p.t, "a page of history", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err := p.connection().Ask(ctx, &page, "history", question)
		return err == nil
	})
	if !page.OK {
		p.t.Fatalf("history %v: %+v", question, page.Error)
	}
	return page
}
