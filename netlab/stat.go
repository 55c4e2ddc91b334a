package netlab

import (
	"strconv"
	"strings"
)

// stat is the beginning of the stat file of a process or thread, proc_pid_stat(5).
type stat struct {
	name   string
	state  string // one letter; "?" if the file makes no sense
	parent int
}

// parseStat reads a stat file, which begins
//
//	PID (NAME) STATE PARENT ...
//
// A name may hold anything, parentheses and spaces included.
func parseStat(text string) stat {
	open, end := strings.IndexByte(text, '('), strings.LastIndex(text, ") ")
	if open < 0 || end < open {
		return stat{name: text, state: "?"}
	}
	rest := strings.Fields(text[end+1:])
	if len(rest) < 2 {
		return stat{name: text, state: "?"}
	}
	parent, _ := strconv.Atoi(rest[1]) // nobody's child if it is no number
	return stat{name: text[open+1 : end], state: rest[0], parent: parent}
}
