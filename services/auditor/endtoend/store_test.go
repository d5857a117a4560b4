package endtoend

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/minio/highwayhash"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// blocks calls alter with each file that the server keeps the log in, until it says that it has altered the content, which is then
// written back.
func blocks(d *deployment, alter func(name string, content []byte) bool) {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "nats/jetstream/*/streams", eventlog.StreamName, "msgs/*.blk"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			d.t.Fatal(err)
		}
		if alter(name, content) {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				d.t.Fatal(err)
			}
			return
		}
	}
	d.t.Fatalf("nothing was altered in %v", files)
}

// flip flips a bit of the log's file where it holds some bytes.
func flip(d *deployment, where []byte) {
	blocks(d, func(_ string, content []byte) bool {
		i := bytes.Index(content, where)
		if i >= 0 {
			content[i] ^= 1
		}
		return i >= 0
	})
}

// rewrite alters the message that holds some bytes as somebody does who knows the server's files: with a checksum that fits again.
// A record of nats-server 2.15 is
//
//	length (4 bytes, little endian) | sequence (8) | time (8) | subject's length (2) | subject | headers' length (4) | headers | content | checksum (8)
func rewrite(d *deployment, where []byte, alter func(header, content []byte)) {
	d.t.Helper()
	number := binary.LittleEndian
	blocks(d, func(name string, file []byte) bool {
		at := bytes.Index(file, where)
		if at < 0 {
			return false
		}
		for begin := 0; begin < len(file); {
			length := int(number.Uint32(file[begin:]) &^ (1 << 31)) // the first bit says whether there are headers
			record := file[begin : begin+length]
			if begin += length; begin < at {
				continue
			}
			subject := record[22 : 22+int(number.Uint16(record[20:]))]
			rest := record[22+len(subject) : length-8]
			header, content := rest[4:4+number.Uint32(rest)], rest[4+number.Uint32(rest):]
			alter(header, content)
			var block int
			if _, err := fmt.Sscanf(filepath.Base(name), "%d.blk", &block); err != nil {
				d.t.Fatal(err)
			}
			key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", eventlog.StreamName, block))
			sum, err := highwayhash.NewDigest64(key[:])
			if err != nil {
				d.t.Fatal(err)
			}
			for _, part := range [][]byte{record[4:20], subject, header, content} {
				_, _ = sum.Write(part) // a hash takes everything
			}
			copy(record[length-8:], sum.Sum(nil))
			return true
		}
		return false
	})
}
