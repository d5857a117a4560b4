//go:build !race

package client_test

// What an event may cost: allocations, and bytes in them.
const allocations, allocated = 1, 16
