package eventlog

// Role is what a connection is for. What it may do in nats-server follows from
// it (package permissions).
type Role string

// The roles, by the names of their users.
const (
	Gateway     Role = "gateway"
	Persister   Role = "persister"
	Auditor     Role = "auditor"
	Provisioner Role = "provisioner" // makes streams, buckets and consumers
	Operator    Role = "operator"    // revokes sessions and users
	Backup      Role = "backup"      // copies the log out, and back where there is none
)

// Roles are all of them.
func Roles() []Role { return []Role{Gateway, Persister, Auditor, Provisioner, Operator, Backup} }

// InboxPrefix begins the subjects to which answers for a role come. Each has its
// own, so that none can listen to another's.
func (r Role) InboxPrefix() string {
	short := map[Role]string{Gateway: "gw", Persister: "ps", Auditor: "au", Provisioner: "pv", Operator: "op", Backup: "bk"}
	return "_INBOX_" + short[r]
}
