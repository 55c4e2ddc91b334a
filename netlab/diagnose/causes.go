package diagnose

// description is what a cause is and what to do about it.
type description struct {
	what string // one sentence
	cure string // one sentence; empty if there is nothing to cure
}

const largerQueue = "raise the backlog of listen(2) and net.core.somaxconn, accept faster, or let clients connect at a pace"

// about describes each cause.
var about = map[Cause]description{
	Healthy:             {"nothing failed", ""},
	AcceptOverflowAbort: {"the handshake was complete, the accept queue was full, and tcp_abort_on_overflow is set", largerQueue},
	AcceptOverflowRetry: {"the client's first ACK was lost; when the SYN-ACK came again, its answer met a full accept queue, and tcp_abort_on_overflow is set", largerQueue},
	AcceptOverflowKept:  {"the ACK met a full accept queue and was dropped; the client is established, the server still waits for it", largerQueue},
	KeptExpired:         {"the ACK met a full accept queue, the server gave up after its SYN-ACK retries without a word, and the client's next segment was a stray", largerQueue},
	CookieGhost:         {"the ACK of a SYN cookie met a full accept queue and was dropped; the client is established, the server has nothing", largerQueue},
	CookieACKLost:       {"the SYN was answered with a SYN cookie and the client's ACK was lost; the server has nothing and cannot ask again", "give the client a time-out of its own"},
	AcceptOverflowSYN:   {"the SYN met a full accept queue and was dropped", largerQueue},
	SYNQueueFull:        {"the SYN met a full SYN queue with SYN cookies off", "set net.ipv4.tcp_syncookies to 1, or raise the backlog"},
	MaxSYNBacklog:       {"the SYN met the last quarter of tcp_max_syn_backlog with SYN cookies off", "raise net.ipv4.tcp_max_syn_backlog, or set net.ipv4.tcp_syncookies to 1"},
	ListenerClosed:      {"the listener was closed while the connection was in its accept queue", "hand the listener over to the next process, or drain its queue before closing it"},
	ListenerClosedHalf:  {"the listener was closed while the handshake was under way", "hand the listener over to the next process"},
	MemberClosed:        {"one of several SO_REUSEPORT listeners was closed with connections of its own", "set net.ipv4.tcp_migrate_req to 1"},
	LingerZero:          {"the server closed the connection with SO_LINGER and a time of zero", "do not set SO_LINGER to zero"},
	UnreadData:          {"the server closed the connection with data that it had not read", "read to the end, or shut down one direction before closing"},
	WriteAfterClose:     {"the client wrote after the server had closed", "treat the end of the stream as the end, and do not write after it"},
	KeepAliveRace:       {"the server closed an idle keep-alive connection while the client's next request was under way", "let the client give up idle connections before the server does"},
	ClosedPort:          {"nothing listens on the port", "start the server, or look for the right port"},
	FirewallRejectSYN:   {"a firewall answered the SYN with RST", "look at the packet filter's rules"},
	FirewallRejectACK:   {"a firewall answered the client's segment with RST", "look at the packet filter's rules"},
	FirewallDropSYN:     {"the SYN was dropped before TCP saw it, by a firewall or on the way", "look at the packet filter's rules and the route"},
	ICMPUnreachable:     {"an ICMP error answered: the host or the port cannot be reached, or a firewall says so", "look at the route and the packet filter's rules"},
	InjectedRST:         {"somebody between the two hosts injected the RST", "look for a middlebox, such as a firewall or a balancer with a time-out of its own"},
	TimeWaitReuse:       {"the SYN met a connection of before in TIME_WAIT and was asked to try again", "keep net.ipv4.tcp_timestamps on"},
	DeferAccept:         {"the listener has TCP_DEFER_ACCEPT and waits for the client's first byte", ""},
	FastOpenClosed:      {"the listener was closed with connections that TCP Fast Open had begun", "hand the listener over, or drain its queue before closing it"},
	MemoryPressure:      {"the server's kernel gave up the connection for want of memory", "raise net.ipv4.tcp_mem or tcp_max_orphans, or give the machine less to do"},
	UserTimeout:         {"the client's kernel gave up: its data were not acknowledged in time", "look for what swallows the packets; TCP_USER_TIMEOUT says how long to wait"},
	OutOfDescriptors:    {"the program has no descriptor left to accept with, so its accept queue filled up", "raise the limit of open files (ulimit -n), and look for descriptors that are never closed"},
	NotAnswered:         {"the server's kernel took what the client sent, and the program gave no answer before the client's time was over", "let the program accept and answer faster; no queue is too short"},
	Unknown:             {"no cause fits what was seen", ""},
}

// What is the cause in one sentence.
func (c Cause) What() string { return about[c].what }

// Cure is what to do about it in one sentence; empty if nothing is wrong.
func (c Cause) Cure() string { return about[c].cure }
