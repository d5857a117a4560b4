package deployment

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// Names and passwords of nats-server's accounts where it is not secured; all of it listens on this machine's loopback only.
// Who gives none is tidemark. The system account, by which the cluster's leader can be changed, is there in any case.
const (
	systemUser     = "system"
	systemPassword = "system"
	open           = `accounts {
  TIDEMARK { jetstream: enabled, users: [ { user: tidemark, password: tidemark } ] }
}
no_auth_user: tidemark
`
)

// prover is the swarm itself, beside the roles of the services: it reads what an auditor reads, asks the read model
// anything, and has leaders step down.
const prover eventlog.Role = "swarm"

// users are nats-server's, each with the rights of its role and a password. Without any, nats-server is open.
type users map[eventlog.Role]string

// newUsers has a password for each role. They begin with a letter, since nats-server reads numbers in its environment.
func newUsers() users {
	u := make(users)
	for _, role := range append(eventlog.Roles(), prover) {
		u[role] = "p" + rand.Text()
	}
	return u
}

// as is the part of a URL that says who connects.
func (u users) as(role eventlog.Role) string {
	if u[role] == "" {
		return ""
	}
	return url.UserPassword(string(role), u[role]).String() + "@"
}

// environment is what nats-server reads the passwords from.
func (u users) environment() (variables []string) {
	for role, password := range u {
		variables = append(variables, permissions.Rights{Role: role}.PasswordVariable()+"="+password)
	}
	slices.Sort(variables)
	return variables
}

// accounts is the part of nats-server's configuration about who may connect: that of streams permissions, and the swarm.
func (u users) accounts(republish bool) string {
	config := open
	if len(u) > 0 {
		all := permissions.All(permissions.Options{Republish: republish})
		config = permissions.Config(append(all, proverRights()))
	}
	system := fmt.Sprintf("accounts {\n  SYS { users: [ { user: %q, password: %q } ] }\n", systemUser, systemPassword)
	return strings.Replace(config, "accounts {\n", system, 1) + "system_account: SYS\n"
}

func proverRights() permissions.Rights {
	r := permissions.Of(eventlog.Auditor, permissions.Options{})
	r.Role = prover
	r.Publish = append(r.Publish, query.Subjects()...)
	for _, leader := range []string{"STREAM.LEADER.STEPDOWN." + eventlog.StreamName, "CONSUMER.LEADER.STEPDOWN." + eventlog.StreamName + "." + eventlog.ConsumerName} {
		r.Publish = append(r.Publish, "$JS.API."+leader)
	}
	r.Subscribe = append(r.Subscribe, "_INBOX.>")
	return r
}
