package revocation

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	verification  = time.Second
	verifyTimeout = 1500 * time.Millisecond
	// silence is after how long without a word a server of the cluster counts as cut off
	// from the leader. It hears of each every second, and the others choose another
	// leader after four seconds at the earliest.
	silence = 3 * time.Second
)

// verify asks the bucket's leader, again and again, whether the watch is told all, and
// ends it if not. A server that is cut off from the others goes on to show that it
// lives, and has nothing to deliver.
func (l *List) verify(ctx context.Context, stream jetstream.Stream, end func(error)) {
	for {
		select {
		case <-time.After(verification):
		case <-ctx.Done():
			return
		}
		l.mu.Lock()
		seen := l.seen
		l.mu.Unlock()
		asking, cancel := context.WithTimeout(ctx, verifyTimeout)
		info, err := stream.Info(asking)
		cancel()
		if err != nil {
			err = fmt.Errorf("bucket %s does not answer: %w", bucketName, err)
		} else if err = l.late(); err == nil {
			err = l.judge(info, seen)
		}
		if err != nil {
			end(err)
			return
		}
	}
}

// late fails if the watch has not brought by now what its bucket held the time before.
func (l *List) late() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.caughtUp && l.seen < l.want {
		return fmt.Errorf("the watch of bucket %s is at %d, the bucket was at %d a while ago", bucketName, l.seen, l.want)
	}
	return nil
}

// judge fails if what the bucket's leader says shows that it is not the one that was
// followed, or that it may not know what others have stored. It notes how far it is. seen
// is l.seen before it was asked.
func (l *List) judge(info *jetstream.StreamInfo, seen uint64) error {
	const mend = "what it lacks is still known here: put a copy of it back, or start the gateway again to go by what it holds"
	if !quorate(info.Cluster) {
		return fmt.Errorf("the leader of bucket %s has lost the other servers", bucketName)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.created.IsZero():
		l.created = info.Created
	case !info.Created.Equal(l.created):
		return fmt.Errorf("bucket %s is another one, made at %v, not at %v; %s", bucketName, info.Created.UTC(), l.created.UTC(), mend)
	case info.State.LastSeq < seen:
		return fmt.Errorf("bucket %s is at %d and was at %d; %s", bucketName, info.State.LastSeq, seen, mend)
	}
	l.want = info.State.LastSeq
	if info.State.Msgs == 0 {
		l.want = 0 // nothing is there to be delivered
	}
	return nil
}

// quorate reports whether a leader hears of most of its servers, itself included. It
// leads on for up to 20 s without them. Of one that it has not heard of since it leads it
// says 0, however long that is.
func quorate(c *jetstream.ClusterInfo) bool {
	if c == nil {
		return true
	}
	all, there := 1, 1
	for _, peer := range c.Replicas {
		if peer.Pending {
			continue
		}
		all++
		if !peer.Offline && 0 < peer.Active && peer.Active < silence {
			there++
		}
	}
	return 2*there > all
}
