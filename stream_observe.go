package ryze

func (s *Subscription) observer() *Observer { return s.handle.client.config.observer }

// observeArrival tells of an event that was put into the queue, and of others that
// made room for it.
func (s *Subscription) observeArrival(e *Event, bytes int) {
	s.observer().eventReceived(s.parent, EventInfo{
		Instance: s.handle.name, Type: e.Type, Via: viaStream, Queued: s.queue.len(), Bytes: bytes,
	})
	s.observeLoss()
}

// observeLoss tells of events that made room for others, since it was asked last.
func (s *Subscription) observeLoss() {
	if s.observer() == nil {
		return
	}
	s.queue.mu.Lock()
	dropped := s.queue.dropped
	s.queue.mu.Unlock()
	if lost := dropped - s.toldDropped; lost > 0 {
		s.toldDropped = dropped
		s.observer().eventsDropped(s.parent, EventsDroppedInfo{s.handle.name, GapOverflow, int(lost)}) //nolint:gosec // events in memory
	}
}
