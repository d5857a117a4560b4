package permissions

import (
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/session"
)

// The streams, those behind buckets included.
const (
	log         = eventlog.StreamName
	checkpoints = notary.StreamName
)

var (
	sessions    = session.Bucket(session.Config{}).Want.Name
	revocations = revocation.Bucket(1).Want.Name
	presences   = presence.Buckets(presence.Options{})[0].Want.Name
	leases      = presence.Buckets(presence.Options{})[1].Want.Name
)

// api is a request of JetStream's API about a stream, and perhaps a consumer.
func api(verb string, about ...string) string {
	return jetstream.DefaultAPIPrefix + verb + "." + strings.Join(about, ".")
}

func info(stream string) string { return api("STREAM.INFO", stream) }

// get is a read that any replica answers, getByLeader one that only the leader does.
func get(stream string) string         { return api("DIRECT.GET", stream) }
func getByLeader(stream string) string { return api("STREAM.MSG.GET", stream) }

// keys are a bucket's keys, as subjects, given its stream.
func keys(stream, pattern string) string {
	return "$KV." + strings.TrimPrefix(stream, "KV_") + "." + pattern
}

// acks acknowledge what a consumer delivered.
func acks(stream, consumer string) string { return "$JS.ACK." + stream + "." + consumer + ".>" }
