package loadclient

import "fmt"

// Phase is where a client was when it first failed. The zero value means that
// it did not fail, or never started.
type Phase uint8

// The phases, in the order of a client's life. Answer is for what no call on
// the connection reported: a bad status, a malformed answer, a cancelled wait.
const (
	PhaseDial Phase = iota + 1
	PhaseWrite
	PhaseRead
	PhaseAnswer
)

var phaseNames = [...]string{"", "dial", "write", "read", "answer"}

// String is the phase's name as it stands in JSON, such as "dial"; empty for zero.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText gives the phase's name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a phase's name.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, name := range phaseNames {
		if name == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("phase %q: want one of dial, write, read and answer", text)
}

// in is " in dial", or nothing for a client that never started.
func (p Phase) in() string {
	if p == 0 {
		return ""
	}
	return " in " + p.String()
}
