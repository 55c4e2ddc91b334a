package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// record is one packet of a file. Its data are valid until the next one is read.
type record struct {
	data   []byte
	at     time.Time // zero: the file does not tell
	length int       // bytes that it really had
	origin origin
}

// origin is the interface that a packet was captured on. A file that begins anew, as
// pcapng may, goes on with the interface of the same number, name and link type.
type origin struct {
	number int
	name   string // empty: unknown
	link   layers.LinkType
}

// source reads the records of a capture one by one. At its end it gives io.EOF, or
// io.ErrUnexpectedEOF if its last record is cut off.
type source func() (record, error)

// magics are the first four bytes of a classic capture file: microseconds and
// nanoseconds, both in either byte order.
var magics = [][]byte{{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}}

// magicNg are those of pcapng, in any byte order.
var magicNg = []byte{0x0a, 0x0d, 0x0d, 0x0a}

var errCut = errors.New("the header of the capture is cut off: copy the whole file again")

// open finds out the format of a capture.
func open(r io.Reader) (source, error) {
	buffered := bufio.NewReaderSize(r, 1<<20)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(buffered)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errCut
		case err != nil:
			return nil, fmt.Errorf("it begins like gzip and is none: %w", err)
		}
		buffered = bufio.NewReaderSize(unzipped, 1<<20)
	}
	magic, err := buffered.Peek(4)
	switch {
	case len(magic) == 0 && errors.Is(err, io.EOF):
		return nil, errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF): // of gzip
		return nil, errCut
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case bytes.Equal(magic, magicNg):
		return openNg(buffered)
	}
	for _, m := range magics {
		if bytes.Equal(magic, m) {
			return openClassic(buffered)
		}
	}
	return nil, fmt.Errorf("it is no capture: it begins with %q, and neither pcap nor pcapng does", magic)
}

// headerError tells a header that is cut off from one that is broken.
func headerError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("the header of the capture is broken: %w", err)
}

func openClassic(r io.Reader) (source, error) {
	reader, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, headerError(err)
	}
	from := origin{link: reader.LinkType()}
	if _, ok := links[from.link]; !ok {
		return nil, unknownLink(from.link)
	}
	return func() (record, error) {
		data, info, err := reader.ZeroCopyReadPacketData()
		return record{data, info.Timestamp, info.Length, from}, ending(info, err)
	}, nil
}

func openNg(r *bufio.Reader) (source, error) {
	reader, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, headerError(atEnd(r, err))
	}
	return func() (record, error) {
		data, info, err := reader.ZeroCopyReadPacketData()
		if err != nil {
			return record{}, atEnd(r, ending(info, err))
		}
		face, err := reader.Interface(info.InterfaceIndex)
		return record{data, info.Timestamp, info.Length, origin{info.InterfaceIndex, face.Name, face.LinkType}}, err
	}, nil
}

// atEnd tells a file that is cut off where pcapgo hides it: where bytes are skipped, and
// between two records of a gzip file.
func atEnd(r *bufio.Reader, err error) error {
	_, left := r.Peek(1)
	if errors.Is(left, io.ErrUnexpectedEOF) || errors.Is(left, io.EOF) && !errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ending tells a file that ends before the data of a packet, which pcapgo does not.
func ending(info gopacket.CaptureInfo, err error) error {
	if errors.Is(err, io.EOF) && info.CaptureLength > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
