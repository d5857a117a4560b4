package modeltest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

func testUsers(t *testing.T, open OpenModel) {
	model, project := open(t)
	hostile := Registered(2, "i'd\x00;--", "<Zoë> \u2028 日本")
	last := Registered(5, "e", "a")
	project(Registered(1, "a", "a"), hostile, Event(3, Room("r"), "x"), Registered(4, "d", "a"), last)
	for _, test := range []struct {
		request query.UsersRequest
		want    []uint64
	}{
		{query.UsersRequest{Newest: query.MaxUsers}, []uint64{5, 4, 2, 1}},
		{query.UsersRequest{Newest: 2}, []uint64{5, 4}},
		{query.UsersRequest{IDs: []string{"a", "e", "nobody", "", "a", "e"}, Newest: 1}, []uint64{5, 1}},
		{query.UsersRequest{IDs: []string{hostile.Sender}}, []uint64{2}},
		{query.UsersRequest{IDs: []string{"A", "i'd", "%", "_"}}, nil},
	} {
		reply := must[query.UsersReply](t)(model.Users(t.Context(), test.request))
		wantUsers(t, reply, false, test.want...)
		wantCheckpoint(t, reply.Checkpoint, last)
		for _, u := range reply.Users {
			if want := (query.User{ID: hostile.Sender, Name: hostile.SenderName, Offset: 2, At: hostile.At}); u.Offset == 2 && u != want {
				t.Errorf("got %+v, want %+v", u, want)
			}
		}
	}
}

func wantUsers(t *testing.T, reply query.UsersReply, cut bool, want ...uint64) {
	t.Helper()
	got := []uint64{}
	for _, u := range reply.Users {
		got = append(got, u.Offset)
	}
	if !reflect.DeepEqual(got, append([]uint64{}, want...)) || reply.Cut != cut {
		t.Errorf("users of offsets %.500v, cut %v, want %.500v, %v", got, reply.Cut, want, cut)
	}
}

// A reply is cut where there are names of which each byte becomes six.
func testUsersMany(t *testing.T, open OpenModel) {
	model, project := open(t)
	const hostile, n = query.MaxUsers / 2, query.MaxUsers // the older half
	var events []event.Event
	var ids []string
	for o := uint64(1); o <= n; o++ {
		name := "Wolfgang Amadeus"
		if o <= hostile {
			name = strings.Repeat("<", 64)
		}
		events = append(events, Registered(o, fmt.Sprintf("018f0000-0000-7000-8000-%012d", o), name))
		ids = append(ids, events[o-1].Sender)
	}
	project(events...)
	for _, r := range []query.UsersRequest{{Newest: n}, {IDs: ids}} {
		reply := must[query.UsersReply](t)(model.Users(t.Context(), r))
		wantUsers(t, reply, true, newestFirst(span(n+1-uint64(len(reply.Users)), n))...)
		if len(reply.Users) <= hostile {
			t.Errorf("%d users only", len(reply.Users))
		}
	}
	reply := must[query.UsersReply](t)(model.Users(t.Context(), query.UsersRequest{Newest: n - hostile}))
	wantUsers(t, reply, false, newestFirst(span(hostile+1, n))...)
}

// testUserTaken: the first registration stands, whether the second is of a later
// batch or the same.
func testUserTaken(t *testing.T, open OpenStore) {
	s := open(t)
	Project(t, s, Registered(1, "a", "first"))
	refused := Project(t, s, Registered(2, "b", "one"), Registered(3, "a", "second"), Registered(4, "b", "two"), Event(5, Room("r"), "x"))
	if len(refused) != 2 || refused[0].Offset != 3 || refused[1].Offset != 4 || refused[0].Reason != readmodel.ReasonUserTaken ||
		refused[0].Stored.Header.Get("Tidemark-Sender-Name") != "second" {
		t.Errorf("refused: %+v", refused)
	}
	reply := must[query.UsersReply](t)(s.Users(t.Context(), query.UsersRequest{Newest: 5}))
	wantUsers(t, reply, false, 2, 1)
	if reply.Users[0].Name != "one" || reply.Users[1].Name != "first" {
		t.Errorf("users: %+v", reply.Users)
	}
	wantCheckpoint(t, reply.Checkpoint, Event(5, Room("r"), "x"))
}
