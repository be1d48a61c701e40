package frontdesk

import "encoding/binary"

// messageIDs makes client_msg_ids: 16 bytes that rise with time, so that the server tells a new message from a repeat by
// one comparison: 6 bytes of milliseconds, 2 of a counter, 8 random.
type messageIDs struct {
	platform *platform
	lastMs   uint64
	counter  uint32
}

func (m *messageIDs) next() []byte {
	now := uint64(m.platform.clock.Now().UnixMilli())
	// A clock set back must not make ids fall.
	if now > m.lastMs {
		m.lastMs, m.counter = now, 0
	} else if m.counter++; m.counter > 0xffff {
		m.lastMs, m.counter = m.lastMs+1, 0
	}
	id := make([]byte, 16)
	binary.BigEndian.PutUint64(id, m.lastMs<<16|uint64(m.counter))
	m.platform.randomBytes(id[8:])
	return id
}
