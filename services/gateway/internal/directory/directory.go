// Package directory keeps the newest users in memory, for the lists of who there
// is: loaded from the read model, kept up by the feed, bounded in number.
package directory

import (
	"cmp"
	"slices"
	"sync"
)

// User is someone who has registered.
type User struct {
	ID, Name string
	Offset   uint64 // of the registration
}

// Compare orders users by name, and those of one name by id.
func Compare(a, b User) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// Directory holds at most a number of users, the newest. Safe for concurrent use.
type Directory struct {
	max int

	mu     sync.Mutex
	users  map[string]User
	sorted []User // all of them, by name; nil if they have changed
}

// New makes an empty directory for at most max users.
func New(max int) *Directory {
	return &Directory{max: max, users: make(map[string]User)}
}

// Add adds users. Those it has already are left as they are.
func (d *Directory) Add(users ...User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range users {
		if _, known := d.users[u.ID]; !known {
			d.users[u.ID] = u
			d.sorted = nil
		}
	}
	if len(d.users) > d.max+d.max/8 { // not for each one
		d.shrink()
	}
}

// shrink lets the oldest go.
func (d *Directory) shrink() {
	offsets := make([]uint64, 0, len(d.users))
	for _, u := range d.users {
		offsets = append(offsets, u.Offset)
	}
	slices.Sort(offsets)
	oldest := offsets[len(offsets)-d.max]
	for id, u := range d.users {
		if u.Offset < oldest {
			delete(d.users, id)
		}
	}
	d.sorted = nil
}

// Name is a user's name, if it is one of those held.
func (d *Directory) Name(id string) (name string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.users[id]
	return u.Name, ok
}

// Sorted is all users held, by name. It must not be changed.
func (d *Directory) Sorted() []User {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sorted == nil {
		d.sorted = make([]User, 0, len(d.users))
		for _, u := range d.users {
			d.sorted = append(d.sorted, u)
		}
		slices.SortFunc(d.sorted, Compare)
	}
	return d.sorted
}
