// Package loopback gives addresses at which processes that are tested on one machine find each other, also after they
// were killed and started again.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"runtime"
)

// Address is a host and port that nobody else uses. Nothing holds it, so that it can be left and taken again; that is
// safe as long as
//   - nobody else chooses it: on Linux it is one of 16 million loopback addresses, elsewhere there may be just one;
//   - it is nobody's end of an outgoing connection: those have ports above 32768 on Linux, and above 49152 elsewhere;
//   - nobody looks whether it is free by listening there: a process that is being started meanwhile inherits that
//     listener until it executes its own program, and so keeps the address taken after the listener was closed.
func Address() string {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	}
	return fmt.Sprintf("%s:%d", host, 20000+rand.IntN(12000))
}
