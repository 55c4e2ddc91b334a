package predict

import "github.com/rstlab/rstlab/netlab/scenario"

// kernel is the server's kernel as far as one listening socket goes: its two queues,
// the settings that decide about them, and what it counts. It knows no client by
// name and no time.
//
// Sources, checked on v6.18, are named at each rule.
type kernel struct {
	limit         int  // of the accept queue: sk_max_ack_backlog
	abort         bool // sysctl_tcp_abort_on_overflow
	syncookies    int  // sysctl_tcp_syncookies
	maxSYNBacklog int  // sysctl_max_syn_backlog
	synQueueExtra int  // see scenario.Calibration

	closed     bool // the listener is closed
	accept     int  // connections in the accept queue: sk_ack_backlog
	requests   int  // half-open connections, SYN_RECV: inet_csk_reqsk_queue_len
	young      int  // those whose SYN-ACK timer has not fired yet
	cookieSent bool // a SYN cookie went out lately: tcp_synq_no_recent_overflow

	count serverCounters
	rule  Rule // the one that decided last
}

// Rule is one decision of the server's kernel, in words.
type Rule string

// The rules, in the kernel's order: first those for a SYN, then those for a segment
// of a half-open connection, of a SYN cookie, and of nothing.
const (
	SYNRefused          Rule = "SYN: nothing listens, RST"
	SYNQueueFull        Rule = "SYN 1: the SYN queue is full and SYN cookies are off, dropped (inet_csk_reqsk_queue_is_full)"
	SYNOverflow         Rule = "SYN 2: the accept queue is full, dropped (sk_acceptq_is_full in tcp_conn_request)"
	SYNLastQuarter      Rule = "SYN 3: the last quarter of tcp_max_syn_backlog is left, dropped (tcp_conn_request)"
	SYNCookie           Rule = "SYN 4: answered with a SYN cookie (tcp_conn_request)"
	SYNAnswered         Rule = "SYN 4: answered, into the SYN queue (tcp_conn_request)"
	SegmentAfterClose   Rule = "segment of a half-open connection: its listener is closed, RST (tcp_v4_rcv)"
	SegmentReset        Rule = "segment of a half-open connection: the accept queue is full, RST (tcp_check_req)"
	SegmentKept         Rule = "segment of a half-open connection: the accept queue is full, dropped and kept (tcp_check_req)"
	SegmentAccepted     Rule = "segment of a half-open connection: into the accept queue (inet_csk_complete_hashdance)"
	CookieOverflow      Rule = "segment with a SYN cookie: the accept queue is full, dropped (cookie_v4_check)"
	CookieAccepted      Rule = "segment with a SYN cookie: into the accept queue (cookie_v4_check)"
	SegmentStray        Rule = "segment of nothing: RST (tcp_v4_send_reset)"
	SegmentOfConnection Rule = "segment of a connection: received"
)

// decide notes the rule and passes the reply on.
func (k *kernel) decide(rule Rule, r reply) reply {
	k.rule = rule
	return r
}

// serverCounters are what a server's kernel counts, by the kernel's names; drops is
// the socket's own sk_drops.
type serverCounters struct {
	listenOverflows, listenDrops, reqQFullDrop, reqQFullDoCookies uint64
	syncookiesSent, syncookiesRecv, syncookiesFailed              uint64
	embryonicRsts, outRsts, estabResets, passiveOpens             uint64
	timeouts, retransSegs, synRetrans                             uint64
	drops                                                         uint64
}

// reply is what the kernel does with a segment.
type reply uint8

const (
	dropped   reply = iota // nothing is sent
	synAck                 // SYN-ACK, and a request is in the SYN queue
	synCookie              // SYN-ACK with a cookie, and nothing is kept
	child                  // the connection is in the accept queue
	reset                  // RST
	delivered              // the segment belongs to a connection
)

// acceptQueueFull is sk_acceptq_is_full (include/net/sock.h): greater, not equal,
// so the queue holds one more than its limit.
func (k *kernel) acceptQueueFull() bool { return k.accept > k.limit }

// synQueueFull is inet_csk_reqsk_queue_is_full (include/net/inet_connection_sock.h).
func (k *kernel) synQueueFull() bool { return k.requests >= k.limit+k.synQueueExtra }

// lastQuarterTaken is the rule of tcp_max_syn_backlog without SYN cookies: the last
// quarter is for peers that are proven to be alive, and nobody here is.
func (k *kernel) lastQuarterTaken() bool {
	return k.maxSYNBacklog-k.requests < k.maxSYNBacklog>>2
}

// syn is tcp_conn_request (net/ipv4/tcp_input.c): what a SYN meets. Rules 1 to 4.
func (k *kernel) syn() reply {
	if k.closed {
		k.count.outRsts++
		return k.decide(SYNRefused, reset)
	}
	// 1. Is a cookie wanted? tcp_syn_flood_action
	cookie := false
	if k.syncookies == 2 || k.synQueueFull() {
		if k.syncookies == 0 {
			k.count.reqQFullDrop++
			k.listenDrop()
			return k.decide(SYNQueueFull, dropped)
		}
		k.count.reqQFullDoCookies++
		cookie = true
	}
	// 2. The accept queue is full, whatever tcp_abort_on_overflow says.
	if k.acceptQueueFull() {
		k.count.listenOverflows++
		k.listenDrop()
		return k.decide(SYNOverflow, dropped)
	}
	// 3. The last quarter of tcp_max_syn_backlog.
	if !cookie && k.syncookies == 0 && k.lastQuarterTaken() {
		k.listenDrop()
		return k.decide(SYNLastQuarter, dropped)
	}
	// 4. SYN-ACK.
	if cookie {
		k.count.syncookiesSent++
		k.cookieSent = true
		return k.decide(SYNCookie, synCookie)
	}
	k.requests++
	k.young++
	return k.decide(SYNAnswered, synAck)
}

// listenDrop is tcp_listendrop (include/net/tcp.h).
func (k *kernel) listenDrop() {
	k.count.listenDrops++
	k.count.drops++
}

// segmentOfRequest is what an ACK or data meets whose connection is in the SYN queue:
// tcp_check_req (net/ipv4/tcp_minisocks.c) and tcp_v4_syn_recv_sock
// (net/ipv4/tcp_ipv4.c). Old says that the request's SYN-ACK timer has fired.
func (k *kernel) segmentOfRequest(old bool) reply {
	if k.closed { // tcp_v4_rcv: the request is dropped, and the segment looked up again
		k.forget(old)
		k.count.outRsts++
		return k.decide(SegmentAfterClose, reset)
	}
	if k.acceptQueueFull() {
		k.count.listenOverflows++
		k.listenDrop()
		k.count.drops++ // tcp_v4_rcv: the segment counts once more
		if !k.abort {
			return k.decide(SegmentKept, dropped)
		}
		k.count.embryonicRsts++
		k.count.outRsts++
		k.forget(old)
		return k.decide(SegmentReset, reset) // the handshake RST of the story
	}
	k.forget(old)
	k.enqueue()
	return k.decide(SegmentAccepted, child)
}

// segmentWithCookie is what an ACK or data meets that acknowledges a SYN cookie:
// cookie_v4_check (net/ipv4/syncookies.c). A full queue drops it in silence even with
// tcp_abort_on_overflow on.
func (k *kernel) segmentWithCookie() reply {
	if k.closed || k.syncookies == 0 {
		return k.stray()
	}
	k.count.syncookiesRecv++
	if k.acceptQueueFull() {
		k.count.listenOverflows++
		k.listenDrop()
		return k.decide(CookieOverflow, dropped)
	}
	k.enqueue()
	return k.decide(CookieAccepted, child)
}

// stray is what a segment meets that belongs to nothing: tcp_v4_send_reset. If there
// is a listener that sent cookies lately, the segment is first taken for one.
func (k *kernel) stray() reply {
	if !k.closed && k.syncookies != 0 && k.cookieSent {
		k.count.syncookiesFailed++
	}
	k.count.outRsts++
	return k.decide(SegmentStray, reset)
}

// enqueue is inet_csk_complete_hashdance (net/ipv4/inet_connection_sock.c).
func (k *kernel) enqueue() {
	k.accept++
	k.count.passiveOpens++
}

// forget takes a request out of the SYN queue.
func (k *kernel) forget(old bool) {
	k.requests--
	if !old {
		k.young--
	}
}

// listen is listen(2), on a fresh socket or again: only the limit changes.
func (k *kernel) listen(limit uint32) { k.limit = int(limit) }

// close is inet_csk_listen_stop (net/ipv4/inet_connection_sock.c): every connection in
// the accept queue is reset. The requests stay until their next segment or timer.
func (k *kernel) close() {
	k.count.outRsts += uint64(k.accept)
	k.count.estabResets += uint64(k.accept)
	k.accept = 0
	k.closed = true
}

// expires decides about a request whose SYN-ACK timer has fired the given number of
// times before: reqsk_timer_handler (net/ipv4/inet_connection_sock.c). While the SYN
// queue is more than half full, old requests get fewer retries.
func (k *kernel) expires(fired, retries int) bool {
	if 2*k.requests > max(8, k.limit) {
		for young := 2 * k.young; retries > 2 && k.requests >= young; young <<= 1 {
			retries--
		}
	}
	return fired >= retries
}

// counters are the server's by the kernel's names, without those that did not move.
func (c serverCounters) counters() scenario.Counters {
	return scenario.Counters{
		"ListenOverflows": c.listenOverflows, "ListenDrops": c.listenDrops,
		"TCPReqQFullDrop": c.reqQFullDrop, "TCPReqQFullDoCookies": c.reqQFullDoCookies,
		"SyncookiesSent": c.syncookiesSent, "SyncookiesRecv": c.syncookiesRecv, "SyncookiesFailed": c.syncookiesFailed,
		"EmbryonicRsts": c.embryonicRsts, "OutRsts": c.outRsts, "EstabResets": c.estabResets, "PassiveOpens": c.passiveOpens,
		"TCPTimeouts": c.timeouts, "RetransSegs": c.retransSegs, "TCPSynRetrans": c.synRetrans,
	}.Since(nil)
}
