package idempotency

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// minted is when a key was made, by the clock of whoever made it, if the key
// says so: a UUIDv7 or a ULID. Both begin with 48 bits of Unix milliseconds.
func minted(key string) (time.Time, bool) {
	switch len(key) {
	case uuidLength:
		u, err := uuid.Parse(key)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			return time.Time{}, false
		}
		return time.UnixMilli(int64(binary.BigEndian.Uint64(u[:8]) >> 16)), true
	case ulidLength:
		return ulidTime(key)
	}
	return time.Time{}, false
}

const (
	uuidLength = 36 // with hyphens, as everybody writes them

	ulidLength     = 26
	ulidTimeLength = 10 // characters of 5 bits; of the first only 3 are used
)

// ulidTime reads a ULID: Crockford's base32, of either case, first the time.
func ulidTime(key string) (time.Time, bool) {
	if key[0] > '7' {
		return time.Time{}, false
	}
	var ms int64
	for i := range ulidLength {
		digit := crockford[key[i]]
		if digit < 0 {
			return time.Time{}, false
		}
		if i < ulidTimeLength {
			ms = ms<<5 | int64(digit)
		}
	}
	return time.UnixMilli(ms), true
}

// crockford holds the value of each character, -1 for those that are no digits.
var crockford = func() (values [256]int8) {
	for c := range values {
		values[c] = -1
	}
	for v, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		values[c] = int8(v)
		if c >= 'A' {
			values[c+'a'-'A'] = int8(v)
		}
	}
	return values
}()
