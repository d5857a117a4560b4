// Command auditor replays the event log and proves what it says.
package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
)

const (
	// collectAt lets the heap grow to five times what is alive, which is little: a reading makes garbage by the gigabyte.
	collectAt = 400
	// mostMemory is from where on memory comes before speed, in bytes.
	mostMemory = 512 << 20
)

func main() {
	debug.SetGCPercent(collectAt)
	debug.SetMemoryLimit(mostMemory)
	os.Exit(command.Main(service()))
}

func service() command.Service {
	return command.Service{
		Name:  "auditor",
		Short: "Replay the event log, and prove what it says",
		Long: "Answers what was said, by whom, when, in which order, and whether that is all of it. It reads the log (--nats.url; by\n" +
			"default a standalone's on this machine) and changes nothing in it; verify and rebuild also read the read model\n" +
			"(--database.url, or the SQLite file in --data-dir), while the persister goes on writing it.\n\n" +
			"Results go to standard output, progress and remarks to standard error.\n\n" +
			"Exit codes: 0 all is as it should be, 1 something was found (a finding, a refused proof, a replay with holes),\n" +
			"2 bad usage, or what was asked for could not be done.",
		Example: "  auditor replay --room general --since 2h\n" +
			"  auditor replay --format json --from 1000 > events.ndjson\n" +
			"  auditor verify\n" +
			"  auditor transcript --room general --out handover\n" +
			"  auditor check-proof handover/transcript.html --key notary.pub      (anywhere, without the log)",
		Sections: []string{"dataDir", "nats.url", "nats.credentials", "nats.ca", "nats.cert", "nats.key", "database"},
		Checks:   checksOf,
		Extra: []*cobra.Command{
			refusals(replayCommand()), refusals(statCommand()), refusals(verifyCommand()), refusals(transcriptCommand()),
			refusals(proveCommand()), refusals(checkpointCommand()), refusals(consistencyCommand()), refusals(rebuildCommand()),
			checkProofCommand(), keygenCommand(),
		},
	}
}
