package transcript

import (
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Person is a user of a direct conversation.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"` // as of the newest message; empty for one who has sent none
}

// Called is the name, or else the id.
func (p Person) Called() string {
	if p.Name != "" {
		return p.Name
	}
	return p.ID
}

func (s *Summary) add(line *Line) {
	e := &line.Event
	if s.FirstAt.IsZero() {
		s.FirstAt = e.At
	}
	s.LastAt = e.At
	if line.Repeats != nil {
		s.Repeats++
	}
	direct := subject.Conversation{Kind: subject.DM, Name: subject.PairName(e.From, e.To)}
	if e.Damaged == "" && e.Conversation == direct.String() {
		s.meet(e)
	}
}

// meet learns who the users are: no more than two, since the conversation's name is made of them.
func (s *Summary) meet(e *record.Record) {
	for _, p := range []Person{{e.From, e.Username}, {e.To, ""}} {
		known := false
		for i := range s.People {
			if s.People[i].ID == p.ID {
				known = true
				if p.Name != "" {
					s.People[i].Name = p.Name
				}
			}
		}
		if !known {
			s.People = append(s.People, p)
		}
	}
}
