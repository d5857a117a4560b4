package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/directory"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/history"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/seldom"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// people is who there is: the newest users in memory, those online, and behind
// them the log, in which everybody has registered.
type people struct {
	log       *eventlog.Log
	model     query.Model
	directory *directory.Directory
	presence  *presence.Presence
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
	var failed seldom.Log
	for pause := minLoadPause; ; pause = min(2*pause, maxLoadPause) {
		complete, err := p.loadOnce(ctx, began, sameLog)
		if complete || ctx.Err() != nil {
			return
		}
		select {
		case <-p.loaded:
			failed.Log(log, slog.LevelWarn, "the list of users is not complete", "error", cmp.Or(err, errBehind))
		default:
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

var errBehind = errors.New("the read model is behind")

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
	return known || p.presence.Has(presence.User, id)
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

// What the list of users may take, as JSON: together it is below the bytes that
// may be queued for a connection.
const (
	maxListBytes    = 576 << 10 // names and ids
	maxMessageBytes = 384 << 10 // the messages that come with it
)

// list is the users that one of them is shown, by name: all of them or, where
// there are more than may be listed, himself, those he has talked to, those
// online, and the newest, in that order.
func (p *people) list(self user, online, talked map[string]string) []directory.User {
	sorted := p.directory.Sorted()
	here := make(map[string]bool, len(sorted))
	size := 0
	for _, u := range sorted {
		here[u.ID] = true
		size += len(`{"userID":"","username":"","connected":false,"messages":[]},`) + len(u.ID) + 6*len(u.Name)
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
	if len(others) == 0 && len(sorted) <= p.max && size <= maxListBytes {
		return sorted
	}
	return choose(slices.Concat(others, sorted), p.max, func(u directory.User) int {
		if u.ID == self.id {
			return 0
		}
		if _, ok := talked[u.ID]; ok {
			return 1
		}
		if _, ok := online[u.ID]; ok {
			return 2
		}
		return 3
	})
}

// choose picks at most so many users, and bytes, by rank and then the newest, and
// sorts them by name.
func choose(all []directory.User, most int, rank func(directory.User) int) []directory.User {
	var ranked [4][]directory.User
	for _, u := range all {
		r := rank(u)
		ranked[r] = append(ranked[r], u)
	}
	chosen, entry, size := make([]directory.User, 0, min(most, len(all))), []byte(nil), 0
	for _, users := range ranked {
		if len(chosen)+len(users) > most {
			slices.SortFunc(users, func(a, b directory.User) int { return cmp.Compare(b.Offset, a.Offset) })
		}
		for _, u := range users {
			entry = contract.AppendUser(entry[:0], u.ID, u.Name, false, nil)
			if size += len(entry) + 1; size > maxListBytes || len(chosen) == most {
				break
			}
			chosen = append(chosen, u)
		}
	}
	slices.SortFunc(chosen, directory.Compare)
	return chosen
}

// usersPacket is the "users" event.
func usersPacket(users []directory.User, online map[string]string, talked map[string][]*event.Event) []byte {
	listed := shareOut(talked)
	packet := append(make([]byte, 0, 128*len(users)), contract.UsersOpen...)
	for _, u := range users {
		_, connected := online[u.ID]
		packet = contract.AppendUser(packet, u.ID, u.Name, connected, listed[u.ID])
	}
	return append(packet, contract.UsersClose...)
}

// shareOut leaves out messages, the oldest of each conversation first, where all
// together take more than they may: each conversation has an equal share, so that
// nobody's many words are at the expense of another's.
func shareOut(talked map[string][]*event.Event) map[string][]*event.Event {
	if len(talked) == 0 {
		return nil
	}
	share, one := maxMessageBytes/len(talked), []byte(nil)
	kept := make(map[string][]*event.Event, len(talked))
	for id, messages := range talked {
		from := len(messages)
		for size := 0; from > 0; from-- {
			one = contract.AppendListed(one[:0], messages[from-1])
			if size += len(one) + 1; size > share {
				break
			}
		}
		kept[id] = messages[from:]
	}
	return kept
}
