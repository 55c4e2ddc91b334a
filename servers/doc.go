// Package servers is the system under test: a listener whose accept queue and
// accept loop can be steered, an HTTP front, and the RPC backend behind it.
//
//	clients ──HTTP──> front ──RPC──> backend
//
// Nothing here knows about namespaces. A server takes any net.Listener and a
// client any dial function, so the same code runs inside a lab and outside.
package servers
