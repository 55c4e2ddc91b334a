// Package rpc carries calls over TCP in length-prefixed frames: many requests
// in flight on one connection, each with an id, a deadline and one answer.
//
// It retries nothing and hides nothing: a Client says which of dial, write and
// read failed and with which error number, so that a test can tell the fates of
// a connection apart.
package rpc
