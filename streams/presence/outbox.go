package presence

// outbox is what the bucket has yet to be told about this gateway's keys: for
// each key the last thing wanted of it. It holds at most the keys of who is
// connected here and those that the bucket may hold.
type outbox struct {
	wanted map[string]*Entry   // by key; nil: there is to be none
	stored map[string]struct{} // keys that the bucket may hold
}

func newOutbox() outbox {
	return outbox{wanted: map[string]*Entry{}, stored: map[string]struct{}{}}
}

func (o *outbox) put(key string, e Entry) { o.wanted[key] = &e }

func (o *outbox) drop(key string) {
	if _, stored := o.stored[key]; stored {
		o.wanted[key] = nil
	} else {
		delete(o.wanted, key)
	}
}

// found says that the bucket holds a key that it should not.
func (o *outbox) found(key string) {
	o.stored[key] = struct{}{}
	o.drop(key)
}

// write is one thing to tell.
type write struct {
	key   string
	entry *Entry // nil: remove the key
}

// take takes out up to n writes, of different keys. Of each, done says how it
// ended; no other may be taken before.
func (o *outbox) take(n int) []write {
	var writes []write
	for key, e := range o.wanted {
		if len(writes) == n {
			break
		}
		delete(o.wanted, key)
		o.stored[key] = struct{}{}
		writes = append(writes, write{key, e})
	}
	return writes
}

// done says whether a write is known to have been stored. One that may not have
// been is wanted again, unless something newer is.
func (o *outbox) done(w write, stored bool) {
	if stored {
		if w.entry == nil {
			delete(o.stored, w.key)
		}
	} else if _, newer := o.wanted[w.key]; !newer {
		o.wanted[w.key] = w.entry
	}
}
