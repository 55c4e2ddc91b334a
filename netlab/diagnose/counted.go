package diagnose

import "fmt"

// Alibis from holding what a counter moved by against what crossed the interface.

// kernelSentAll is the firewall's alibi: TCP itself counts each RST that it sends.
func (q *inquiry) kernelSentAll() string {
	if why := q.neverLeft(); why != "" {
		return why
	}
	if q.far == nil || !q.server.captured() {
		return ""
	}
	if why := q.listenerOverflowed(); why != "" {
		return why
	}
	w := q.window()
	sent, known := q.server.moved("OutRsts", w)
	if seen := within(q.server.rsts, w); known && sent >= uint64(seen) {
		return fmt.Sprintf("TCP itself sent every RST: OutRsts moved by %d, and %d crossed the interface%s", sent, seen, w.inWords())
	}
	return ""
}

// listenerOverflowed is an alibi by listener, for when several causes send RSTs in one
// window: this listener dropped two for each RST that answered a handshake with it, and
// as many overflows were reset.
func (q *inquiry) listenerOverflowed() string {
	if q.class != handshakeRST && q.class != retriedRST {
		return ""
	}
	w := q.window()
	rsts := within(q.server.bare[q.flow.server], w)
	drops, looked := q.server.drops(q.flow.server, w)
	embryonic, known := q.server.moved("EmbryonicRsts", w)
	if looked && known && rsts > 0 && int(drops) >= 2*rsts && embryonic >= uint64(rsts) {
		return fmt.Sprintf("the listener on %v dropped %d for its %d RSTs, and EmbryonicRsts moved by %d%s", q.flow.server, drops, rsts, embryonic, w.inWords())
	}
	return ""
}

// allEmbryonic is an alibi of the stray RST: each one in the window was counted as that
// of an overflow.
func (q *inquiry) allEmbryonic() string {
	if q.server == nil {
		return ""
	}
	w := q.window()
	embryonic, known := q.server.moved("EmbryonicRsts", w)
	sent, _ := q.server.moved("OutRsts", w)
	if why := q.listenerOverflowed(); why != "" {
		return why
	}
	if known && sent > 0 && embryonic >= sent {
		return fmt.Sprintf("each of the %d RSTs is an overflow's: EmbryonicRsts moved by %d%s", sent, embryonic, w.inWords())
	}
	// A connection may get more RSTs than its first, for what it sent after its ACK.
	answered := 0
	for _, times := range q.server.bare {
		answered += within(times, w)
	}
	if (q.class == handshakeRST || q.class == retriedRST) && q.far != nil && q.server.captured() && known && answered > 0 && embryonic >= uint64(answered) {
		return fmt.Sprintf("each of the %d handshakes that RSTs answered met an overflow: EmbryonicRsts moved by %d%s", answered, embryonic, w.inWords())
	}
	return ""
}

// abortCounted is an alibi of the listener's close: a program's own close was counted
// instead, which counts for each connection.
func (q *inquiry) abortCounted() string {
	w := q.window()
	sum := uint64(0)
	for _, name := range []string{"TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnMemory"} {
		n, _ := q.server.moved(name, w)
		sum += n
	}
	if sent, known := q.server.moved("OutRsts", w); known && sum > 0 && sum >= sent {
		return fmt.Sprintf("each of the %d RSTs was counted as TCPAbortOn...%s", sent, w.inWords())
	}
	return ""
}

// noThreeQuarterDrops: ListenDrops without a reason of their own are those of
// tcp_max_syn_backlog.
func (q *inquiry) noThreeQuarterDrops() string {
	w := q.window()
	drops, known := q.server.moved("ListenDrops", w)
	overflows, _ := q.server.moved("ListenOverflows", w)
	full, _ := q.server.moved("TCPReqQFullDrop", w)
	if known && drops <= overflows+full {
		return fmt.Sprintf("ListenDrops %d is ListenOverflows %d and TCPReqQFullDrop %d%s", drops, overflows, full, w.inWords())
	}
	return ""
}
