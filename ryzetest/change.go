package ryzetest

import (
	"context"
	"iter"
	"sync"
	"time"
)

// A ChangeKind says what has changed.
type ChangeKind string

// Kinds of changes.
const (
	ChangeInstance ChangeKind = "instance" // an instance: it was made or deleted, its state or its codes
	ChangeChat     ChangeKind = "chat"     // what an account keeps about a chat: archived, muted, typing, a label
	ChangeMessage  ChangeKind = "message"  // a message: it is new, or its status, text, votes or marks are
	ChangeRequest  ChangeKind = "request"  // a request was answered, or an event stream was opened
	ChangeDelivery ChangeKind = "delivery" // an event was brought to a webhook, or could not be
	ChangeClock    ChangeKind = "clock"    // Advance has moved the time
	ChangeServer   ChangeKind = "server"   // what is around the instances: faults, rate windows, contacts, groups, newsletters
	ChangesLost    ChangeKind = "lost"     // look at everything again: the reader was too slow, or all is new
)

// A Change says that something has changed. The methods of Server and Instance
// tell what it is now.
type Change struct {
	Number   int64 // of the change, from 1 on
	Time     time.Time
	Kind     ChangeKind
	Instance string // name; "" when it is not about one
	Chat     string // JID; "" when it is not about one
	Message  string // id; "" when it is not about one
}

// maxChanges is how many changes wait for a reader.
const maxChanges = 10000

// changes is a log of which readers see what comes after they began.
type changes struct {
	mu    sync.Mutex
	first int64    // number of kept[0]
	kept  []Change // the last maxChanges, or up to twice as many
	more  chan struct{}
}

func (l *changes) add(c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == 0 {
		l.first = 1
	}
	c.Number = l.first + int64(len(l.kept))
	l.kept = append(l.kept, c)
	if extra := len(l.kept) - maxChanges; extra >= maxChanges {
		l.kept = append([]Change(nil), l.kept[extra:]...)
		l.first += int64(extra)
	}
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// last is the number of the last change.
func (l *changes) last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.first, 1) + int64(len(l.kept)) - 1
}

// after returns what follows a change, or what to wait for when nothing does.
func (l *changes) after(number int64) (list []Change, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := number + 1 - max(l.first, 1)
	switch {
	case from < 0:
		lost := Change{Number: l.first - 1, Time: l.kept[0].Time, Kind: ChangesLost}
		return append([]Change{lost}, l.kept...), nil
	case from < int64(len(l.kept)):
		return l.kept[from:len(l.kept):len(l.kept)], nil // never written again
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return nil, l.more
}

// Changes iterates over what happens after its call, in order, until ctx ends
// or the server is closed. A reader that is 10,000 changes behind gets one
// ChangesLost instead of those.
//
//	for change := range srv.Changes(ctx) {
//		if change.Kind == ryzetest.ChangeMessage {
//			message, _ := srv.Instance(change.Instance).Message(change.Message)
//			...
//		}
//	}
func (s *Server) Changes(ctx context.Context) iter.Seq[Change] {
	last := s.changes.last()
	return func(yield func(Change) bool) {
		for {
			list, more := s.changes.after(last)
			for _, c := range list {
				if last = c.Number; ctx.Err() != nil || !yield(c) {
					return
				}
			}
			if more == nil {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			case <-s.ctx.Done():
				return
			}
		}
	}
}

func (s *Server) changed(kind ChangeKind) { s.changes.add(Change{Time: s.clock.now(), Kind: kind}) }

func (i *Instance) changed(c Change) {
	c.Time, c.Instance = i.s.clock.now(), i.name
	i.s.changes.add(c)
}

func (i *Instance) changedChat(jid string) {
	i.changed(Change{Kind: ChangeChat, Chat: i.s.world.canonical(jid)})
}

func (i *Instance) changedMessage(m *Message) {
	i.changed(Change{Kind: ChangeMessage, Chat: i.s.world.canonical(m.Chat), Message: m.ID})
}
