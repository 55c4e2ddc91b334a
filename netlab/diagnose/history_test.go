package diagnose

import (
	"strings"
	"testing"
)

func TestShape(t *testing.T) {
	for _, c := range []struct{ say, want string }{
		{">S <S. >. <R", ">S <S. >. <R"},
		{">S (1s) >S (2040ms) >S", ">S (1s) >S (2s) >S"},
		{">S (400ms) >S", ">S >S"},
		{">S <S. >. " + strings.Repeat(">P. ", 20), ">S <S. >. " + strings.Repeat(">P. ", 13) + "..."},
	} {
		h := newTalk().say(c.say).history(t)
		if got := h.shape(); got != c.want {
			t.Errorf("the shape of %s is %q, want %q", c.say, got, c.want)
		}
	}
}

func TestHistory(t *testing.T) {
	h := newTalk().say(">S <S. >. >P.:GET_/ <. <P.:HTTP/1.1 >. >P.:POST_x <F. >P.:GET_/x <R <R >R").history(t)
	if len(h.syns) != 1 || len(h.synAcks) != 1 || len(h.acks) != 1 || len(h.data) != 1 || len(h.late) != 1 || len(h.rsts) != 2 || len(h.ownRSTs) != 1 {
		t.Errorf("the history is %+v", h)
	}
	if !h.dataAcked || !h.answered || h.exchanges != 1 || h.serverFIN == nil || h.clientFIN != nil || h.resent || h.challenged || h.tfo || h.opaque {
		t.Errorf("the history is %+v", h)
	}
}

// Data count as repeated until the server acknowledges them.
func TestHistoryRepeated(t *testing.T) {
	for say, want := range map[string][2]int{ // repeated, and 1 if some were sent again before any was acknowledged
		">S <S. >. >P. <. >P. >P.= >P.=":    {2, 0},
		">S <S. >. >P. <. >P. >P.= >P.= <.": {0, 0},
		">S <S. >. >P. >P.= >P.=":           {0, 1},
		">S <S. >. >P. >P. >P.":             {0, 0},
	} {
		h := newTalk().say(say).history(t)
		if got := len(h.repeated); got != want[0] || h.resent != (want[1] == 1) {
			t.Errorf("%s: repeated %d, sent again %v, want %v", say, got, h.resent, want)
		}
	}
}

func TestHistoryKinds(t *testing.T) {
	if h := newTalk().say(">S:GET <S. >. <R.").history(t); !h.tfo {
		t.Error("a SYN with data is TCP Fast Open")
	}
	if h := newTalk().say(">S <. >R >S <S.").history(t); !h.challenged {
		t.Error("an ACK to a SYN is a challenge")
	}
	if h := newTalk().say(">S <S. >. >P.:\x17\x03\x03\x00").history(t); !h.opaque {
		t.Error("a record of TLS cannot be read")
	}
	for say, want := range map[string]int{">S >S >S": 3, ">S >S <S.": 1, ">S <S. >S <S.": 0, ">S >S <R.": 1, ">. <R": 0} {
		h := newTalk().say(say).history(t)
		if got := len(h.unansweredSYNs()); got != want {
			t.Errorf("%s: %d SYNs were not answered, want %d", say, got, want)
		}
	}
}

func TestIsRequest(t *testing.T) {
	for text, want := range map[string]bool{"GET / HT": true, "POST /x ": true, "OPTIONS ": true, "GETTING ": false, "HTTP/1.1": false, "": false} {
		if got := isRequest(text); got != want {
			t.Errorf("isRequest(%q) = %v, want %v", text, got, want)
		}
	}
}
