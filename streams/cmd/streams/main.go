// Command streams makes what Tidemark keeps in nats-server, says who needs which
// rights to it, and copies it out and back.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
)

func main() { os.Exit(command.Main(service())) }

func service() command.Service {
	return command.Service{
		Name:  "streams",
		Short: "Provision the streams of a nats-server, print the rights of its users, back up and restore",
		Long: "Makes and checks the streams, buckets and consumers that the services need (provision), so that the services need no rights\n" +
			"to do so (nats.provision=false); prints nats-server's configuration of the users with the least rights (permissions); copies the\n" +
			"log and what belongs to it into a directory (backup), and back to where there is none (restore).",
		Example: "  streams provision --nats.url nats://provisioner:secret@127.0.0.1:4222 --nats.replicas 3\n" +
			"  streams provision --check\n" +
			"  streams permissions > users.conf\n" +
			"  streams backup --to /backup/monday",
		Sections: []string{
			"nats.url", "nats.credentials", "nats.ca", "nats.cert", "nats.key", "nats.replicas", "stream",
			"gateway.sessionTTL", "gateway.presenceLease", "gateway.logView", "gateway.feed", "persister.batchSize", "persister.pinTTL",
		},
		Extra: []*cobra.Command{provisionCommand(), permissionsCommand(), backupCommand(), restoreCommand()},
	}
}
