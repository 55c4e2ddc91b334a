package netlab

import (
	"fmt"
	"os"
	"strings"
)

// Role is another program in the same test binary, to be run in a host with
// [Host.StartRole]. It saves a test from building a server first.
type Role struct {
	Name string
	Run  func(args []string) error // a program's main; an error is printed and makes the exit status 1
}

// roleVariable names the role that a process is to play.
const roleVariable = "RSTLAB_ROLE"

// play runs the named role and returns its exit status.
func play(name string, roles []Role) int {
	var names []string
	for _, role := range roles {
		if role.Name == name {
			if err := role.Run(os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			return 0
		}
		names = append(names, role.Name)
	}
	fmt.Fprintf(os.Stderr, "netlab: no role %q was given to netlab.Main, which has: %s\n", name, strings.Join(names, ", "))
	return 2
}
