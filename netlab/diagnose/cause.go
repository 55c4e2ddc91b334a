package diagnose

// Cause is why a connection failed, by the name that stands in JSON.
type Cause string

// The causes. Each is described in causes.go, with its cure.
const (
	Healthy             Cause = "healthy" // nothing failed
	AcceptOverflowAbort Cause = "accept-overflow-abort"
	AcceptOverflowRetry Cause = "accept-overflow-abort-retried"
	AcceptOverflowKept  Cause = "accept-overflow-kept"
	KeptExpired         Cause = "kept-expired"
	CookieGhost         Cause = "cookie-ghost"
	CookieACKLost       Cause = "cookie-ack-lost"
	AcceptOverflowSYN   Cause = "accept-overflow-syn"
	SYNQueueFull        Cause = "syn-queue-full"
	MaxSYNBacklog       Cause = "max-syn-backlog"
	ListenerClosed      Cause = "listener-closed-queued"
	ListenerClosedHalf  Cause = "listener-closed-half-open"
	MemberClosed        Cause = "reuseport-member-closed"
	LingerZero          Cause = "linger-zero"
	UnreadData          Cause = "closed-with-unread-data"
	WriteAfterClose     Cause = "write-after-close"
	KeepAliveRace       Cause = "keep-alive-race"
	ClosedPort          Cause = "closed-port"
	FirewallRejectSYN   Cause = "firewall-reject-syn"
	FirewallRejectACK   Cause = "firewall-reject-ack"
	FirewallDropSYN     Cause = "firewall-drop-syn"
	ICMPUnreachable     Cause = "icmp-unreachable"
	InjectedRST         Cause = "injected-rst"
	TimeWaitReuse       Cause = "time-wait-reuse"
	DeferAccept         Cause = "defer-accept"
	FastOpenClosed      Cause = "fast-open-listener-closed"
	MemoryPressure      Cause = "memory-pressure"
	UserTimeout         Cause = "user-timeout"
	OutOfDescriptors    Cause = "out-of-descriptors"
	NotAnswered         Cause = "not-answered" // TCP did its part
	Unknown             Cause = "unknown"      // no cause fits what was seen
)

// Grade is how sure a diagnosis is.
type Grade string

// The grades.
const (
	Certain  Grade = "certain"  // the evidence rules everything else out
	Likely   Grade = "likely"   // it fits best, and something else is possible
	Possible Grade = "possible" // it is one of several that fit as well
)
