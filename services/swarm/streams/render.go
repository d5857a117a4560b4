package permissions

import (
	"fmt"
	"strings"
)

// Account is the account that all users are in.
const Account = "TIDEMARK"

// PasswordVariable is the environment variable of nats-server from which the
// password of a role's user comes.
func (r Rights) PasswordVariable() string {
	return "NATS_" + strings.ToUpper(string(r.Role)) + "_PASSWORD"
}

// Config is a nats-server's configuration of one account with a user for each of
// the rights, named as its role, to be included from the server's own file.
func Config(all []Rights) string {
	var b strings.Builder
	fmt.Fprintf(&b, "accounts {\n  %s {\n    jetstream: enabled\n    users: [\n", Account)
	for _, r := range all {
		fmt.Fprintf(&b, "      {\n        user: %s\n        password: $%s\n        permissions: {\n", r.Role, r.PasswordVariable())
		b.WriteString("          publish: {\n")
		list(&b, "allow", r.Publish)
		if len(r.Deny) > 0 {
			list(&b, "deny", r.Deny)
		}
		b.WriteString("          }\n          subscribe: {\n")
		list(&b, "allow", r.Subscribe)
		b.WriteString("          }\n        }\n      }\n")
	}
	b.WriteString("    ]\n  }\n}\n")
	return b.String()
}

// list writes subjects, quoted: otherwise nats-server would take $JS for a variable.
func list(b *strings.Builder, name string, subjects []string) {
	fmt.Fprintf(b, "            %s: [\n", name)
	for _, s := range subjects {
		fmt.Fprintf(b, "              %q\n", s)
	}
	b.WriteString("            ]\n")
}
