package oracle

// Rule is a promise that can be broken.
type Rule string

// The rules of Check.
const (
	AckedInLog       Rule = "acked-in-log"
	Once             Rule = "once"
	RefusedNotStored Rule = "refused-not-stored"
	NothingInvented  Rule = "nothing-invented"
	RealTimeOrder    Rule = "real-time order"
	Ascending        Rule = "ascending"
	AsInLog          Rule = "as-in-log"
	Complete         Rule = "complete"
	Reached          Rule = "reached"
	Private          Rule = "private"
	Watermark        Rule = "watermark"
	Recovery         Rule = "recovery"
	Contract         Rule = "contract"
)

// The rules that package evidence checks.
const (
	Dense     Rule = "dense"
	Digest    Rule = "digest"
	ReadModel Rule = "read-model"
)

// Alive is the rule that a deployment's own supervision checks.
const Alive Rule = "alive"

// TakeOver is the rule that a failover of the persisters checks.
const TakeOver Rule = "take-over"

// Meaning is a rule with what it says.
type Meaning struct {
	Rule    Rule   `json:"rule"`
	Meaning string `json:"meaning"`
}

// Rules are all rules, in the order of a report.
func Rules() []Meaning {
	return []Meaning{
		{AckedInLog, "What was acked is in the log, where and as the ack said."},
		{Once, "No key and no message is in the log twice, and all acks of a message say the same."},
		{RefusedNotStored, "What was only ever refused is not in the log."},
		{NothingInvented, "Every message of the run in the log was sent, as it stands there, by whom it names."},
		{RealTimeOrder, "What was sent after another message of its conversation had been acked stands behind it."},
		{Ascending, "Offsets on one connection ascend: nothing comes twice or late."},
		{AsInLog, "Every message is received as the log holds it; a key is told to its sender alone."},
		{Complete, "A connection is sent everything of its conversations from where it begins, without a hole, and nothing else."},
		{Reached, "When all is quiet, everybody is connected and has been sent everything up to the end."},
		{Private, "Nobody is sent anything of a conversation they are not in."},
		{Watermark, "What is at or below a watermark, or a recovery's head, was sent before it, and the log has reached it."},
		{Recovery, "A connection is told once, and truly, that it has caught up, between the replay and what is live."},
		{Contract, "Nothing comes that breaks the contract by itself, and joins and leaves are answered."},
		{Dense, "The log holds an event at every offset."},
		{Digest, "Every event of the log is what was sealed."},
		{ReadModel, "The read model holds what the log holds, and nothing else."},
		{Alive, "No process of the deployment ends by itself, panics or has a data race."},
		{TakeOver, "When the persister that projects is killed, the other one goes on within 15 seconds."},
	}
}
