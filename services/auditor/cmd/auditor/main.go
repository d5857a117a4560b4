// Command auditor replays the event log and proves what it says.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
)

func main() {
	os.Exit(command.Main(command.Service{
		Name:     "auditor",
		Short:    "Replay the event log, and prove what it says",
		Sections: []string{"dataDir", "nats.url", "nats.credentials", "database"},
		Extra: []*cobra.Command{
			replayCommand(),
		},
	}))
}
