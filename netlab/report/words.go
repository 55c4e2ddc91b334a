package report

import "github.com/rstlab/rstlab/netlab/diagnose"

// because holds, for each cause, the end of the sentence "connections went wrong
// because ...", for readers who do not know TCP. A cause that is missing here is shown
// by its name.
var because = map[diagnose.Cause]string{
	diagnose.AcceptOverflowAbort: "more clients had connected than the server lets wait, and it is set to reset the rest",
	diagnose.AcceptOverflowRetry: "more clients had connected than the server lets wait, and it reset the rest when they knocked again",
	diagnose.AcceptOverflowKept:  "more clients had connected than the server lets wait, and the rest had to hang on without an answer",
	diagnose.KeptExpired:         "clients hung on without an answer until the server forgot them",
	diagnose.CookieGhost:         "the server was overrun and forgot clients that believed they were connected",
	diagnose.CookieACKLost:       "a packet was lost while the server was overrun, and both sides now wait for each other",
	diagnose.AcceptOverflowSYN:   "more clients had connected than the server lets wait, and it ignored the rest",
	diagnose.SYNQueueFull:        "more clients knocked at once than the server can greet",
	diagnose.MaxSYNBacklog:       "the server keeps its last places for clients it knows",
	diagnose.ListenerClosed:      "the server stopped while clients were waiting, as in a restart",
	diagnose.ListenerClosedHalf:  "the server stopped while clients were still connecting, as in a restart",
	diagnose.MemberClosed:        "one of several server processes stopped and its waiting clients were not handed over",
	diagnose.LingerZero:          "the server's program ends its connections with a reset on purpose",
	diagnose.UnreadData:          "the server's program closed connections before it had read all that was sent",
	diagnose.WriteAfterClose:     "clients wrote to connections that the server had closed already",
	diagnose.KeepAliveRace:       "clients used connections again just when the server gave them up as idle",
	diagnose.ClosedPort:          "nothing listens on the server's port",
	diagnose.FirewallRejectSYN:   "a firewall refuses the connections",
	diagnose.FirewallRejectACK:   "a firewall resets the connections, not the server",
	diagnose.FirewallDropSYN:     "a firewall swallows the connections",
	diagnose.ICMPUnreachable:     "the network says that the server cannot be reached",
	diagnose.InjectedRST:         "something between client and server resets the connections",
	diagnose.TimeWaitReuse:       "ports were used again too soon, which costs a little time",
	diagnose.DeferAccept:         "the server waits for the first byte before it accepts, which costs time",
	diagnose.FastOpenClosed:      "the server stopped while clients with TCP Fast Open were waiting",
	diagnose.MemoryPressure:      "the server's kernel ran out of memory for connections",
	diagnose.UserTimeout:         "the other side fell silent and a time limit of the program's own passed",
	diagnose.NotAnswered:         "the server's program did not answer them in time",
	diagnose.OutOfDescriptors:    "the server's program ran out of file descriptors and could accept nobody",
}

// happened begins the sentence that tells the story of a cause. It is no surer than the
// grade.
func happened(g diagnose.Grade) string {
	switch g {
	case diagnose.Possible:
		return "What could have happened"
	case diagnose.Likely:
		return "What most likely happened"
	case diagnose.Certain:
	}
	return "What happened"
}

// helps begins the sentence with the cure of a cause.
func helps(g diagnose.Grade) string {
	if g == diagnose.Certain {
		return "What helps"
	}
	return "What helps if so"
}
