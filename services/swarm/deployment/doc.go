// Package deployment runs Tidemark split, on this machine, as processes that can be hurt: one nats-server or a cluster of
// three, two persisters on one database, two gateways, and a [link.Link] on every way between them.
//
//	clients ──▶ clients-gateway-1 ──▶ gateway-1 ──▶ gateway-1-nats ──▶ nats-1 ◀─▶ nats-1-nats-2 ◀─▶ nats-2 ...
//	                                  persister-1 ──▶ persister-1-nats ──▶ ┘
//
// With a cluster each service has a link to each of the servers ("gateway-1-nats-2"), and each pair of servers has one.
//
// A [Deployment] is also what supervises its processes, as something would in production: one that ends without having
// been told to is started again, and that is a complaint. So is whatever in their output no fault excuses: panics, fatal
// errors, data races.
//
// # Nothing is left behind
//
// However the swarm ends, kill -9 included, its processes end with it: they are started by one operating system thread
// that does nothing else, and ask the kernel to be killed when that thread ends (PR_SET_PDEATHSIG, which goes by the
// thread and not by the process). Each is in a process group of its own, so that Ctrl-C in a terminal reaches the swarm
// alone, which then stops them in order. If the swarm may mount file systems, that thread also has a mount namespace of
// its own, in which the stores are on small file systems in memory, to be filled by a fault; nobody else sees them, and
// they go with the last process. fsync costs nothing there, so figures of speed are not those of a disk.
//
// It needs Linux.
package deployment
