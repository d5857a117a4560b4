package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/directory"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/roster"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// people is who there is: the newest users in memory, those online, and behind
// them the log, in which everybody has registered.
type people struct {
	log       *eventlog.Log
	model     query.Model
	directory *directory.Directory
	roster    *roster.Roster
	upToDate  func(context.Context)
	max       int
	loaded    chan struct{} // closed when the directory is loaded, or that takes too long to wait for
}

const (
	minLoadPause, maxLoadPause = 50 * time.Millisecond, time.Second
	// loadPatience is how long those who connect first wait for the directory.
	loadPatience = 3 * time.Second
)

// load fills the directory from the read model, again and again until that has
// come to where the feed began: who registers later, the feed brings.
func (p *people) load(ctx context.Context, began uint64, sameLog func(query.Checkpoint) error, log *slog.Logger) {
	release := sync.OnceFunc(func() { close(p.loaded) })
	defer release()
	patience := time.AfterFunc(loadPatience, release)
	defer patience.Stop()
	var failed seldom
	for pause := minLoadPause; ; pause = min(2*pause, maxLoadPause) {
		complete, err := p.loadOnce(ctx, began, sameLog)
		if complete || ctx.Err() != nil {
			return
		}
		if err != nil {
			failed.log(log, "the list of users is not complete", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (p *people) loadOnce(ctx context.Context, began uint64, sameLog func(query.Checkpoint) error) (complete bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, history.Timeout)
	defer cancel()
	reply, err := p.model.Users(ctx, query.UsersRequest{Newest: p.max})
	if err == nil {
		err = sameLog(reply.Checkpoint)
	}
	if err != nil {
		return false, err
	}
	users := make([]directory.User, len(reply.Users))
	for i, u := range reply.Users {
		users[i] = directory.User{ID: u.ID, Name: u.Name, Offset: u.Offset}
	}
	p.directory.Add(users...)
	return reply.Checkpoint.Offset >= began, nil
}

// registered takes a registration from the feed.
func (p *people) registered(e *event.Event) {
	p.directory.Add(directory.User{ID: e.Sender, Name: e.SenderName, Offset: e.Offset})
}

// knows reports whether somebody has registered under an id.
func (p *people) knows(ctx context.Context, id string) (bool, error) {
	if p.here(id) {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, history.Timeout)
	defer cancel()
	found, err := p.log.HasUser(ctx, id)
	if err != nil || found {
		return found, err
	}
	p.upToDate(ctx) // he may have registered just now, at another gateway
	return p.here(id), nil
}

func (p *people) here(id string) bool {
	_, known := p.directory.Name(id)
	return known || p.roster.Online(id)
}

// names finds the names of those that a user has talked to and that neither the
// directory nor their own messages name.
func (p *people) names(ctx context.Context, talked map[string][]*event.Event) map[string]string {
	names := make(map[string]string, len(talked))
	var unknown []string
	for id, messages := range talked {
		name, ok := p.directory.Name(id)
		if !ok {
			name, ok = nameOf(id, messages)
		}
		if names[id] = name; !ok {
			names[id] = id // better than nothing
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return names
	}
	ctx, cancel := context.WithTimeout(ctx, history.Timeout)
	defer cancel()
	if reply, err := p.model.Users(ctx, query.UsersRequest{IDs: unknown}); err == nil {
		for _, u := range reply.Users {
			names[u.ID] = u.Name
		}
	}
	return names
}

func nameOf(id string, messages []*event.Event) (name string, ok bool) {
	for _, e := range messages {
		if e.Sender == id {
			return e.SenderName, true
		}
	}
	return "", false
}

// list is the users that one of them is shown, by name: all of them or, where
// there are more than may be listed, himself, those he has talked to, those
// online, and the newest, in that order.
func (p *people) list(self user, online, talked map[string]string) []directory.User {
	sorted := p.directory.Sorted()
	here := make(map[string]bool, len(sorted))
	for _, u := range sorted {
		here[u.ID] = true
	}
	var others []directory.User // not in the directory
	add := func(id, name string) {
		if !here[id] {
			here[id] = true
			others = append(others, directory.User{ID: id, Name: name})
		}
	}
	add(self.id, self.name)
	for id, name := range talked {
		add(id, name)
	}
	for id, name := range online {
		add(id, name)
	}
	if len(others) == 0 && len(sorted) <= p.max {
		return sorted
	}
	all := append(others, sorted...)
	if len(all) > p.max {
		slices.SortFunc(all, func(a, b directory.User) int {
			return cmp.Or(cmp.Compare(rank(a, self, online, talked), rank(b, self, online, talked)), cmp.Compare(b.Offset, a.Offset), directory.Compare(a, b))
		})
		all = all[:p.max]
	}
	slices.SortFunc(all, directory.Compare)
	return all
}

func rank(u directory.User, self user, online, talked map[string]string) int {
	_, connected := online[u.ID]
	_, partner := talked[u.ID]
	switch {
	case u.ID == self.id:
		return 0
	case partner:
		return 1
	case connected:
		return 2
	}
	return 3
}

// usersPacket is the "users" event.
func usersPacket(users []directory.User, online map[string]string, talked map[string][]*event.Event) []byte {
	listed := shareOut(talked)
	packet := append(make([]byte, 0, 128*len(users)), contract.UsersOpen...)
	var head []byte
	for _, u := range users {
		_, connected := online[u.ID]
		head = contract.AppendUserHead(head[:0], u.ID, u.Name)
		packet = contract.AppendUser(packet, head, connected, listed[u.ID])
	}
	return append(packet, contract.UsersClose...)
}

// maxListed bounds the messages that come with the list of users, in bytes.
const maxListed = 512 << 10

// shareOut leaves out messages beyond the bound, of those last who one has not
// talked to for longest.
func shareOut(talked map[string][]*event.Event) map[string][]*event.Event {
	size := 0
	for _, messages := range talked {
		for _, e := range messages {
			size += listedSize(e)
		}
	}
	if size <= maxListed {
		return talked
	}
	others := make([]string, 0, len(talked))
	for id := range talked {
		others = append(others, id)
	}
	last := func(id string) uint64 { return talked[id][len(talked[id])-1].Offset }
	slices.SortFunc(others, func(a, b string) int { return cmp.Compare(last(b), last(a)) })
	kept := make(map[string][]*event.Event, len(talked))
	for left, i := maxListed, 0; i < len(others) && left > 0; i++ {
		messages := talked[others[i]]
		from := len(messages)
		for from > 0 && left >= listedSize(messages[from-1]) {
			from--
			left -= listedSize(messages[from])
		}
		kept[others[i]] = messages[from:]
		if from > 0 {
			break
		}
	}
	return kept
}

// listedSize is at least what a message takes in the list, unless it is full of
// control characters; the connection's own limit is above.
func listedSize(e *event.Event) int { return 160 + 2*len(e.Content) }
