// Package tests is the regression suite: it plays the story of the handshake RST
// in labs and asserts what became of every client. It exports nothing.
//
// TestStory runs in real time, with the real HTTP front and RPC backend in
// processes of their own and a swarm of real keep-alive clients. Each of its rows
// turns one knob, and the resets appear or disappear:
//
//	client ──veth── server: front ──lo── backend     the front's accept queue
//
//	client ──┐
//	front  ──┤ switch                                the backend's accept queue,
//	backend ─┘                                       one hop further in
package tests
