package revocation

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/bucket"
)

func told(created time.Time, last uint64, peers ...*jetstream.PeerInfo) *jetstream.StreamInfo {
	return &jetstream.StreamInfo{
		Created: created, State: jetstream.StreamState{Msgs: last, LastSeq: last}, Cluster: &jetstream.ClusterInfo{Replicas: peers},
	}
}

func TestWhatTheLeaderSaysDecidesWhetherTheListIsCurrent(t *testing.T) {
	made := time.Now()
	near, far := &jetstream.PeerInfo{Active: time.Second}, &jetstream.PeerInfo{Active: silence}
	never := &jetstream.PeerInfo{} // was heard of since it leads
	off, joining := &jetstream.PeerInfo{Offline: true}, &jetstream.PeerInfo{Pending: true, Offline: true}
	for _, c := range []struct {
		why  string
		info *jetstream.StreamInfo
	}{
		{"", told(made, 10)},
		{"", told(made, 11)},
		{"", told(made, 10, near, far)},
		{"", told(made, 10, near, near, off, off)},
		{"", told(made, 10, joining, joining)},
		{"", told(made, 10, never, near)},
		{"another one", told(made.Add(time.Nanosecond), 10)},
		{"is at 9 and was at 10", told(made, 9)},
		{"has lost the other servers", told(made, 10, far, far)},
		{"has lost the other servers", told(made, 10, off, far)},
		{"has lost the other servers", told(made, 10, never, far)},
		{"has lost the other servers", told(made, 10, near, off, off, far)},
	} {
		l := Open(nil, Options{})
		l.created, l.seen = made, 10
		if err := l.judge(c.info, 10); (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%+v %+v: %v, want %q", c.info.State, c.info.Cluster, err, c.why)
		}
	}
}

// TestAListIsCurrentWhenItHasWhatTheLeaderHas has a watch on a server that is behind.
func TestAListIsCurrentWhenItHasWhatTheLeaderHas(t *testing.T) {
	l := Open(nil, Options{})
	if err := l.judge(told(time.Now(), 3), 0); err != nil {
		t.Fatal(err)
	}
	l.apply(bucket.Update{Key: "user.nann", Value: []byte("{}"), Put: true, Seq: 2})
	if err := l.late(); err != nil {
		t.Errorf("while it reads: %v", err)
	}
	l.caught()
	if l.current {
		t.Error("current, and one is missing")
	}
	if err := l.late(); err == nil || !strings.Contains(err.Error(), "is at 2, the bucket was at 3") {
		t.Errorf("%v", err)
	}
	l.apply(bucket.Update{Key: "user.nbob", Value: []byte("{}"), Put: true, Seq: 3})
	if err := l.late(); err != nil || !l.current {
		t.Errorf("%v, %v", err, l.current)
	}
}
