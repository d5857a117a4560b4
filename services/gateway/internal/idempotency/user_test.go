package idempotency

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestAUsersKeysAreSharedByTheUsersConnectionsOnly(t *testing.T) {
	a, again, b, guest := User{ID: "u1", SocketID: mine}, User{ID: "u1", SocketID: theirs}, User{ID: "u2", SocketID: mine}, Guest{SocketID: mine}
	for _, key := range []string{mine + "-0", theirs + "-0", "undefined-0", "x", "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a"} {
		scope := a.Scope(key, subject.General)
		if scope != again.Scope(key, subject.General) {
			t.Errorf("key %q: two connections of a user differ", key)
		}
		if scope == b.Scope(key, subject.General) || scope == guest.Scope(key, subject.General) {
			t.Errorf("key %q: shared with somebody else", key)
		}
		if scope == a.Scope(key, subject.Conversation{Kind: subject.Room, Name: "other"}) {
			t.Errorf("key %q: two conversations share a scope", key)
		}
	}
}

// uuidAt is a UUID of a version whose first 48 bits are a time in milliseconds.
func uuidAt(at time.Time, version byte) string {
	u := uuid.New()
	binary.BigEndian.PutUint64(u[:8], uint64(at.UnixMilli())<<16|uint64(version)<<12|0xabc)
	return u.String()
}

func ulidAt(at time.Time) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	text := []byte("0000000000ZYXWVTSRQPNMKJHG")
	for i, ms := 9, at.UnixMilli(); i >= 0; i, ms = i-1, ms>>5 {
		text[i] = digits[ms&31]
	}
	return string(text)
}

func TestRecentOfAUser(t *testing.T) {
	now := time.Now()
	fresh := User{ID: "u1", SocketID: mine, Since: now.Add(-time.Minute)}
	old := User{ID: "u1", SocketID: mine, Since: now.Add(-3 * time.Hour)}
	at := func(age time.Duration) time.Time { return now.Add(-age) }
	for _, c := range []struct {
		what string
		user User
		key  string
		want bool
	}{
		{"of this connection", fresh, mine + "-0", true},
		{"of this connection, as others make them", fresh, mine + "-" + uuidAt(at(0), 7), true},
		{"of this connection, which is old", old, mine + "-0", false},
		{"of another connection", fresh, theirs + "-0", false},
		{"this id without a dash", fresh, mine + "0", false},
		{"this id alone", fresh, mine, false},
		{"no id", fresh, "undefined-0", false},
		{"a number", fresh, "17", false},

		{"UUIDv7", old, uuidAt(at(0), 7), true},
		{"UUIDv7, upper case", old, strings.ToUpper(uuidAt(at(0), 7)), true},
		{"UUIDv7 of 50 minutes ago", old, uuidAt(at(50*time.Minute), 7), true},
		{"UUIDv7 of an hour ago", fresh, uuidAt(at(time.Hour), 7), false},
		{"UUIDv7 of a week ago", fresh, uuidAt(at(7*24*time.Hour), 7), false},
		{"UUIDv7 a minute ahead", old, uuidAt(at(-59*time.Second), 7), true},
		{"UUIDv7 an hour ahead", fresh, uuidAt(at(-time.Hour), 7), false},
		{"UUIDv7 in braces", fresh, "{" + uuidAt(at(0), 7) + "}", false},
		{"UUIDv7 without hyphens", fresh, strings.ReplaceAll(uuidAt(at(0), 7), "-", ""), false},
		{"UUIDv4 that looks like now", fresh, uuidAt(at(0), 4), false},
		{"UUIDv4", fresh, uuid.NewString(), false},
		{"nil UUID", fresh, uuid.Nil.String(), false},

		{"ULID", old, ulidAt(at(0)), true},
		{"ULID, lower case", old, strings.ToLower(ulidAt(at(0))), true},
		{"ULID of 50 minutes ago", old, ulidAt(at(50 * time.Minute)), true},
		{"ULID of an hour ago", fresh, ulidAt(at(time.Hour)), false},
		{"ULID an hour ahead", fresh, ulidAt(at(-time.Hour)), false},
		{"26 digits", fresh, "00000000000000000000000017", false},
		{"ULID with a letter that it does not use", fresh, ulidAt(at(0))[:25] + "U", false},
		{"no ULID by its length", fresh, ulidAt(at(0)) + "0", false},
	} {
		if got := c.user.Recent(c.key, now, window); got != c.want {
			t.Errorf("%s, %q: recent %v, want %v", c.what, c.key, got, c.want)
		}
	}
}

func TestOwnKeysOfAUserAreThoseOfTheConnection(t *testing.T) {
	u := User{ID: "u1", SocketID: mine, Joined: 7}
	for key, want := range map[string]bool{
		mine + "-0": true, mine + "-": true, mine: false, theirs + "-0": false, "undefined-0": false, "": false, "-": false, uuidAt(time.Now(), 7): false,
	} {
		if u.Own(key) != want || u.Made(key) != want {
			t.Errorf("key %q: own %v, made %v, want %v", key, u.Own(key), u.Made(key), want)
		}
	}
	if u.Reached() != 7 || (Guest{Joined: 8}).Reached() != 8 {
		t.Error("where the log was is forgotten")
	}
}

func TestSentByAUser(t *testing.T) {
	u := User{ID: "u1", SocketID: mine}
	for _, c := range []struct {
		e    event.Event
		want bool
	}{
		{event.Event{Sender: "u1", Key: theirs + "-0"}, true},
		{event.Event{Sender: "u1"}, false},
		{event.Event{Sender: "u2", Key: mine + "-0"}, false},
		{event.Event{Key: mine + "-0"}, false},
	} {
		if got := u.Sent(&c.e); got != c.want {
			t.Errorf("%+v: %v, want %v", c.e, got, c.want)
		}
	}
}

func TestTimeOfAULID(t *testing.T) {
	for key, want := range map[string]int64{
		"01ARZ3NDEKTSV4RRFFQ69G5FAV": 1469922850259, // of the specification's page
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ": 1<<48 - 1,
		"00000000000000000000000000": 0,
	} {
		if at, ok := minted(key); !ok || at.UnixMilli() != want {
			t.Errorf("%s: %d, %v; want %d", key, at.UnixMilli(), ok, want)
		}
	}
	for _, key := range []string{
		"8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "/1ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAl",
		"01ARZ3NDEKTSV4RRFFQ69G5F\xc3\xa9", "01ARZ3NDEKTSV4RRFFQ69G5F-V",
	} {
		if at, ok := minted(key); ok {
			t.Errorf("%q tells the time %v", key, at)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	f.Add(mine + "-0")
	f.Add("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a")
	now := time.Now()
	f.Fuzz(func(t *testing.T, key string) {
		for _, s := range []Sender{User{ID: "u", SocketID: mine, Since: now}, Guest{SocketID: mine, Since: now}} {
			if s.Scope(key, subject.General) == "" || s.Made(key) && !s.Own(key) || s.Own(key) && !s.Recent(key, now, window) {
				t.Fatalf("%T, key %q", s, key)
			}
		}
	})
}

func BenchmarkRecentOfAUser(b *testing.B) {
	now := time.Now()
	u := User{ID: "u1", SocketID: mine, Since: now}
	for name, key := range map[string]string{"socket id": mine + "-0", "UUIDv7": uuidAt(now, 7), "ULID": ulidAt(now)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				u.Recent(key, now, window)
			}
		})
	}
}
