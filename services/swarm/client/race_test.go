//go:build race

package client_test

// Under the race detector sync.Pool drops a part of what it is given, on purpose.
const allocations, allocated = 3, 1024
