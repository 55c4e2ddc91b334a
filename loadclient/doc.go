// Package loadclient is the client swarm: N clients, each with one keep-alive
// HTTP connection of its own, and exactly one fate per client.
//
// Load generators retry, share connections and count errors by what their HTTP
// library made of them. This one dials once per client, lets net/http speak
// over that connection and no other, and reads the fate from the first call
// that failed on it.
package loadclient
