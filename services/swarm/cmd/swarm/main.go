// Command swarm is many Socket.IO clients: it loads a chat service, and proves that nothing acked is lost, doubled,
// reordered or leaked, also while things break.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
)

func main() {
	os.Exit(command.Main(command.Service{
		Name:  "swarm",
		Short: "Load a chat service with many clients, and prove that it keeps its promises",
		Long: "Many Socket.IO clients that behave as people's do, and some that do not. They write down what they were told, and an\n" +
			"oracle compares that with the log: is everything acked stored, once, in one order, and sent to everybody it is for\n" +
			"and to nobody else?\n\n" +
			"The swarm talks to the addresses it is given and to no others. It leaves its messages and users in the log: use a\n" +
			"deployment where that is welcome.\n\n" +
			"Exit codes: 0 clean, 1 the oracle has found something, 2 the run could not be done or proves nothing.",
		Example: "  swarm prove --url http://127.0.0.1:3000 --nats.url nats://127.0.0.1:4222 --for 30s\n" +
			"  swarm prove --faults --cluster --seed 7 --for 60s --out report\n" +
			"  swarm load --clients 1000 --rate 50 --for 1m\n" +
			"  swarm storm --clients 5000 --missed 100 --spread 10s\n" +
			"  swarm soak --for 8h --out report\n" +
			"  swarm up",
		Sections: []string{"nats.url", "nats.credentials"},
		Extra:    []*cobra.Command{loadCommand(), proveCommand(), stormCommand(), soakCommand(), upCommand(), profilesCommand()},
	}))
}
