// Package permissions is what each role may do in nats-server, and no more than
// it needs: an operator whose gateway was broken into has to fear what a gateway
// can do, and not that somebody deletes the log.
//
// Rights are about subjects. What they cannot tell apart: who may append may
// append anything, who may make a consumer may make it deliver anywhere, and who
// may ask says where the answer goes (docs/decisions has a page on what follows).
package permissions

import (
	"slices"

	"github.com/tidemark-chat/tidemark/streams/backup"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Options are what rights depend on.
type Options struct {
	LogView   bool // gateways show where the notary is
	Republish bool // gateways follow core subjects
	Notary    bool // persisters sign
}

// Rights are the subjects that a role may publish and subscribe to. All else is refused.
type Rights struct {
	Role      eventlog.Role `json:"role"`
	Publish   []string      `json:"publish"`
	Deny      []string      `json:"denyPublish,omitempty"` // although Publish allows it
	Subscribe []string      `json:"subscribe"`
}

// Of are the rights of a role.
func Of(role eventlog.Role, o Options) Rights {
	r := Rights{Role: role, Subscribe: []string{role.InboxPrefix() + ".>"}}
	switch role {
	case eventlog.Gateway:
		r.gateway(o)
	case eventlog.Persister:
		r.persister(o)
	case eventlog.Auditor:
		r.auditor()
	case eventlog.Provisioner:
		r.provisioner()
	case eventlog.Operator:
		r.operator()
	case eventlog.Backup:
		r.backup()
	}
	return r
}

// All are the rights of all roles.
func All(o Options) []Rights {
	var all []Rights
	for _, role := range eventlog.Roles() {
		all = append(all, Of(role, o))
	}
	return all
}

func (r *Rights) publish(subjects ...string)   { r.Publish = append(r.Publish, subjects...) }
func (r *Rights) subscribe(subjects ...string) { r.Subscribe = append(r.Subscribe, subjects...) }

// gateway appends and follows, asks the read model, and keeps sessions and presence.
func (r *Rights) gateway(o Options) {
	r.publish(subject.All, info(log), get(log), get(log)+"."+subject.AllUsers)
	r.follow()
	if o.Republish {
		r.subscribe(eventlog.FeedSubject)
	}
	r.publish(query.Subjects()...)
	r.publish(subject.Typing)
	r.subscribe(subject.Typing)

	r.publish(info(sessions), getByLeader(sessions), keys(sessions, "*"))
	r.publish(info(revocations))
	r.watch(revocations)
	for _, bucket := range []string{presences, leases} {
		r.publish(info(bucket), get(bucket)+"."+keys(bucket, "*"), keys(bucket, ">"))
		r.watch(bucket)
	}
	r.publish(api("STREAM.PURGE", presences))
	if o.LogView {
		r.publish(info(checkpoints), get(checkpoints))
	}
}

// persister consumes by the durable consumer, answers questions, and signs.
func (r *Rights) persister(o Options) {
	r.publish(info(log), get(log))
	r.publish(
		api("CONSUMER.INFO", log, eventlog.ConsumerName), api("CONSUMER.MSG.NEXT", log, eventlog.ConsumerName),
		api("CONSUMER.RESET", log, eventlog.ConsumerName), acks(log, eventlog.ConsumerName),
	)
	r.subscribe(query.Subjects()...)
	r.subscribe(query.Monitoring()...)
	for _, asker := range []eventlog.Role{eventlog.Gateway, eventlog.Auditor, eventlog.Operator} {
		r.publish(asker.InboxPrefix() + ".>")
	}
	if o.Notary {
		r.publish(getByLeader(log))
		r.follow()
		r.publish(info(checkpoints), get(checkpoints), notary.Subject)
	}
}

// auditor reads the log and the checkpoints.
func (r *Rights) auditor() {
	r.publish(info(log), get(log), getByLeader(log))
	r.follow()
	r.publish(info(checkpoints), get(checkpoints), query.CheckpointSubject)
}

// provisioner makes and updates what there has to be, and nothing else. It can
// neither read nor delete; but with an update it can make streams forget.
func (r *Rights) provisioner() {
	for _, stream := range []string{log, checkpoints, sessions, revocations, presences, leases} {
		r.publish(info(stream), api("STREAM.CREATE", stream), api("STREAM.UPDATE", stream))
	}
	r.publish(api("CONSUMER.INFO", log, eventlog.ConsumerName), api("CONSUMER.CREATE", log, eventlog.ConsumerName))
}

// operator revokes users and sessions, and asks the query service how it fares.
func (r *Rights) operator() {
	r.publish(info(revocations), getByLeader(revocations), keys(revocations, "*.*"))
	r.publish(info(sessions), getByLeader(sessions), keys(sessions, "*"))
	r.publish(query.Monitoring()...)
}

// backup copies streams out, and back where there are none: it reads everything that was said.
func (r *Rights) backup() {
	for _, stream := range backup.Names {
		r.publish(info(stream), api("STREAM.SNAPSHOT", stream), "$JS.SNAPSHOT.ACK."+stream+".*")
		r.publish(api("STREAM.RESTORE", stream), "$JS.SNAPSHOT.RESTORE."+stream+".*")
	}
}

// follow allows consumers of the log of one's own, and not to touch the persister's.
func (r *Rights) follow() {
	for _, verb := range []string{"CONSUMER.CREATE", "CONSUMER.MSG.NEXT", "CONSUMER.DELETE"} {
		r.publish(api(verb, log, "*"))
		if persisters := api(verb, log, eventlog.ConsumerName); !slices.Contains(r.Publish, persisters) {
			r.Deny = append(r.Deny, persisters)
		}
	}
}

// watch allows consumers of a whole bucket.
func (r *Rights) watch(bucket string) {
	r.publish(api("CONSUMER.CREATE", bucket, "*", keys(bucket, ">")), api("CONSUMER.MSG.NEXT", bucket, "*"))
}
