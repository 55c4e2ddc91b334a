// Package scenario is the vocabulary that every room of rstlab shares: what
// becomes of a client, when clients arrive, what the kernel counted.
//
// It is pure: plain values, no socket, no file, no clock, and it imports
// nothing of rstlab.
package scenario
