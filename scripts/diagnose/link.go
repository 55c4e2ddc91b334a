package main

import (
	"fmt"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// linkLayer is a layer below IP.
type linkLayer interface {
	DecodeFromBytes(data []byte, feedback gopacket.DecodeFeedback) error
	NextLayerType() gopacket.LayerType
	LayerPayload() []byte
}

// Link types that gopacket has no name for: raw IP as some systems number it.
const (
	linkTypeRawBSD     layers.LinkType = 12
	linkTypeRawOpenBSD layers.LinkType = 14
)

// links make the outermost layer of each link type that is read; nil stands for none,
// raw IP.
var links = map[layers.LinkType]func() linkLayer{
	layers.LinkTypeNull:      func() linkLayer { return &layers.Loopback{} },
	layers.LinkTypeLoop:      func() linkLayer { return &layers.Loopback{} },
	layers.LinkTypeEthernet:  func() linkLayer { return &layers.Ethernet{} },
	layers.LinkTypeLinuxSLL:  func() linkLayer { return &layers.LinuxSLL{} },
	layers.LinkTypeLinuxSLL2: func() linkLayer { return &layers.LinuxSLL2{} },
	layers.LinkTypeRaw:       nil,
	layers.LinkTypeIPv4:      nil,
	layers.LinkTypeIPv6:      nil,
	linkTypeRawBSD:           nil,
	linkTypeRawOpenBSD:       nil,
}

func unknownLink(link layers.LinkType) error {
	return fmt.Errorf("its link type is %d, and only Ethernet, Linux cooked, loopback and raw IP are read", link)
}

// way is in which direction a packet crossed an interface.
type way uint8

const (
	either way = iota // the capture does not tell
	in
	out
)

// stripper takes the layers below IP off the packets of one interface.
type stripper struct {
	outer linkLayer // nil: none
	vlan  layers.Dot1Q
}

// ip is the packet from its IP header on, and its direction; nil if it is of something
// else.
func (s *stripper) ip(data []byte) ([]byte, way) {
	if s.outer == nil {
		return ipOnly(data), either
	}
	layer := s.outer
	for {
		if layer.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
			return nil, either
		}
		data = layer.LayerPayload()
		switch layer.NextLayerType() {
		case layers.LayerTypeIPv4, layers.LayerTypeIPv6:
			return ipOnly(data), s.way()
		case layers.LayerTypeDot1Q:
			layer = &s.vlan
		default:
			return nil, either
		}
	}
}

func (s *stripper) way() way {
	kind := layers.LinuxSLLPacketTypeOtherhost
	switch cooked := s.outer.(type) {
	case *layers.LinuxSLL:
		kind = cooked.PacketType
	case *layers.LinuxSLL2:
		kind = layers.LinuxSLLPacketType(cooked.PacketType)
	}
	switch kind {
	case layers.LinuxSLLPacketTypeOutgoing:
		return out
	case layers.LinuxSLLPacketTypeHost:
		return in
	}
	return either
}

func ipOnly(data []byte) []byte {
	if len(data) > 0 && (data[0]>>4 == 4 || data[0]>>4 == 6) {
		return data
	}
	return nil
}
