// Package gate puts a server through a burst of clients and says whether it may be
// released: anybody's server, started by its own command in a lab.
//
//	clients ──veth── server: the command, paused while the clients arrive
//
// A verdict is a number of clients held against a limit: who was reset, whose SYN was
// not answered, who got no answer. Beside it stand the causes with their proof, and what
// would pass: which backlog, which gap, which burst.
//
// The tests' TestGate plays it by flags, environment variables or a file rstlab.yaml; see
// [Config] for what can be said.
package gate
