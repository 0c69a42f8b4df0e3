package ryze

import "time"

// StreamStats are the counters of a stream since Subscribe.
type StreamStats struct {
	State          StreamState
	ConnectedSince time.Time // zero unless the state is StreamOpen
	LastEvent      time.Time // when the last event came, by this machine's clock
	Received       uint64    // events put into the queue; not those that WithEvents leaves out
	Dropped        uint64    // events dropped because the queue was full
	Unreadable     uint64    // frames that were not events
	Reconnects     uint64    // outages that are over
	// AliveUntil is a moment up to which everything sent was received: the last
	// answered ping, or the connection. It is as old as the interval of
	// [WithPing] allows. It stays after the stream ends. The clock is this
	// machine's. For handled events see [Subscription.WholeUntil].
	AliveUntil  time.Time
	Queued      int   // events that wait to be taken, gaps included
	QueuedBytes int   // of their JSON
	LastOutage  error // what ended the previous connection, nil before the first outage
}

// Stats returns the stream's counters.
func (s *Subscription) Stats() StreamStats {
	s.mu.Lock()
	st := StreamStats{
		State: s.state, ConnectedSince: s.connected, Unreadable: s.unreadable,
		Reconnects: s.reconnects, LastOutage: s.outage,
	}
	s.mu.Unlock()
	if conn := s.conn.Load(); conn != nil {
		st.AliveUntil = conn.Whole()
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	st.LastEvent, st.Received, st.Dropped = q.last, q.received, q.dropped
	st.Queued, st.QueuedBytes = q.count, q.bytes
	if q.lost != nil {
		st.Queued++
	}
	return st
}
