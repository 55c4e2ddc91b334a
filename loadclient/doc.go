// Package loadclient is the client swarm: N clients, each with one keep-alive
// HTTP connection of its own, and exactly one fate per client.
//
// Load generators retry, share connections and count errors by what their HTTP
// library made of them. This one connects once per client, speaks over that connection
// and no other, and reads the fate from the first call that failed on it and from what
// the server's kernel had acknowledged by then. A client's fate is the first that fits:
//
//	no descriptor, no local port                              local_error
//	ECONNREFUSED                                              refused
//	EHOSTUNREACH, ENETUNREACH and the like                    unreachable
//	time over, or ETIMEDOUT, and no SYN acknowledged          syn_dropped
//	ECONNRESET, and only the SYN acknowledged                 reset (in the handshake)
//	ECONNRESET, and no byte of an answer                      reset_after_request
//	end of the stream before the first byte of an answer      closed
//	end of the stream or ECONNRESET within an answer          truncated
//	time over, and only the SYN acknowledged                  ghost_or_kept
//	time over, and the request acknowledged                   queued
//	time over within an answer or after one                   timed_out
//	a complete answer with a status from 400 up               bad_status
//	a complete answer to each request                         served
//	anything else, such as a malformed answer                 failed
//
// There are two engines, [HTTP] and [Epoll]. Both give the same clients the same fates.
//
// A [Result] holds what each client did and when, planned against actual, and how long
// this machine stood still meanwhile, so that noise is not blamed on the server. Runs of
// several machines are shards of one plan, whose results [Merge] joins exactly. [Confirm]
// holds a result against what the server counted and accepted.
package loadclient
