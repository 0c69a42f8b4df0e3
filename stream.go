package ryze

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ryzeapi/ryze-go/internal/wsconn"
)

// ErrEventTooLarge is the cause of a gap: an event larger than [WithReadLimit]
// closed the connection. The stream connects again, and goes on without it.
var ErrEventTooLarge = sentinel("event larger than the read limit")

// StreamError says why a stream has ended for good: token refused (401, 403),
// no such instance (404), [ErrWebSocketDisabled], close code 1008, or
// [ErrOverflow].
//
// A refusal by a proxy, or a bad certificate, ends a stream only after 15
// minutes of nothing else. The stream survives all other failures.
type StreamError struct {
	Instance string
	// AliveUntil is the last moment at which the stream was complete. Later
	// events are not delivered.
	AliveUntil time.Time
	// CloseCode is the service's close code, such as 1008, or 0 for another
	// end.
	CloseCode int
	Err       error // why it ended
}

// Error names the instance and the reason.
func (e *StreamError) Error() string {
	return "ryze: the event stream of " + quoted(e.Instance) + " has ended: " + strings.TrimPrefix(e.Err.Error(), "ryze: ")
}

// Unwrap returns the reason.
func (e *StreamError) Unwrap() error { return e.Err }

// closeError says that the service closed a stream's connection with a close
// frame.
type closeError struct {
	Code   int    // such as 1001; 1005 stands for a frame without a code
	Reason string // the service's text, usually empty
}

// Error gives code and reason.
func (e *closeError) Error() string {
	text := fmt.Sprintf("the service closed the connection with code %d", e.Code)
	if e.Reason != "" {
		text += ": " + printable(e.Reason)
	}
	return text
}

// Unwrap returns its name.
func (e *closeError) Unwrap() error { return errStreamClosed }

// lostError is what broke a stream's connection without a close frame.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }

// Unwrap returns the cause, then its name.
func (e *lostError) Unwrap() []error { return []error{e.err, errStreamLost} }

// How a stream's connection ends.
var (
	errStreamClosed = sentinel("connection closed by the service")
	errStreamLost   = sentinel("connection lost")
)

// closePolicyViolation is the only close code that says not to come back.
const closePolicyViolation = 1008

// healthyAfter is how long a connection must last for the backoff to begin
// anew.
const healthyAfter = time.Minute

// Subscription is a stream of an instance's events. Read it with one of Events,
// All and Handle: each event is delivered once. It is safe for concurrent use.
type Subscription struct {
	handle handle
	config *streamConfig
	queue  eventQueue
	parent context.Context //nolint:containedctx // the stream lives as long as it, not as long as a call
	cancel context.CancelFunc

	closeOnce sync.Once
	closed    chan struct{} // Close was called
	ended     chan struct{} // closed when nobody connects or reads any more

	mu         sync.Mutex
	state      StreamState
	err        error // why the stream ended by itself
	closeErr   error // what Close was called with
	connected  time.Time
	outage     error
	reconnects uint64
	unreadable uint64
	events     chan *Event
	changes    []StreamState // not yet told to config.onState
	telling    bool

	toldDropped uint64                      // to an observer; of the reader alone
	conn        atomic.Pointer[wsconn.Conn] // the last one

	goroutines sync.WaitGroup // those that wait for nothing of the application's
}

// streamOfClient is a stream as its client sees it.
type streamOfClient Subscription

// Close ends the stream because its client is closed.
func (c *streamOfClient) Close() error {
	(*Subscription)(c).shut(ErrClosed)
	return nil
}

func (s *Subscription) gapEvent(gap *GapEvent) *Event {
	return &Event{Type: EventGap, Instance: s.handle.name, Data: gap}
}

// enqueue puts a received message into the queue; before it the stream was known
// to be whole at the moment alive.
func (s *Subscription) enqueue(message []byte, now, alive time.Time) error {
	if conn := s.conn.Load(); conn != nil {
		s.queue.setWhole(conn.Whole())
	}
	e, err := ParseEvent(message)
	if err != nil {
		s.mu.Lock()
		s.unreadable++
		s.mu.Unlock()
		s.observer().eventsDropped(s.parent, EventsDroppedInfo{s.handle.name, GapUnreadable, 1})
		var unreadable *ResponseError
		if errors.As(err, &unreadable) { // a proxy's words may repeat the token of the handshake
			unreadable.Body = withoutBegunSecrets(unreadable.Body, s.handle.auth.secrets(nil)...)
		}
		gap := &GapEvent{From: alive, To: now, Reason: GapUnreadable, Cause: err}
		defer s.observeLoss()
		return s.queue.push(s.gapEvent(gap), now)
	}
	if !s.config.wants(e.Type) {
		return nil
	}
	if s.observer() == nil {
		return s.queue.push(e, now)
	}
	e.arrived = now
	err = s.queue.push(e, now)
	s.observeArrival(e, len(message))
	return err
}

// next waits for what take takes from the stream's queue. It returns the zero
// value when the stream or ctx has ended.
func next[T any](ctx context.Context, s *Subscription, take func() (v *T, over bool, changed <-chan struct{})) *T {
	for {
		if s.isOver() || ctx.Err() != nil {
			return nil
		}
		v, over, changed := take()
		if v != nil || over {
			return v
		}
		select {
		case <-changed:
		case <-s.closed:
		case <-s.parent.Done():
		case <-ctx.Done():
		}
	}
}

func (s *Subscription) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// isOver reports whether the application has ended the stream, in which case
// nothing more is delivered.
func (s *Subscription) isOver() bool { return s.isClosed() || s.parent.Err() != nil }

// Events returns the channel of events, always the same. It is closed after the
// last event, or at once when the application ends the stream. Err then says
// why.
func (s *Subscription) Events() <-chan *Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events != nil {
		return s.events
	}
	s.events = make(chan *Event)
	if s.isOver() {
		close(s.events)
		return s.events
	}
	s.goroutines.Add(1)
	go s.deliver()
	return s.events
}

// deliver moves events from the queue to the channel.
func (s *Subscription) deliver() {
	defer s.goroutines.Done()
	defer close(s.events)
	for {
		t := next(s.parent, s, s.queue.takeFirst)
		if t == nil {
			return
		}
		select {
		case s.events <- t.event:
			s.queue.handOver(t)
		case <-s.closed:
			return
		case <-s.parent.Done():
			return
		}
	}
}

// All iterates over the events until the stream ends. The last pair has the
// error of Err, unless Close ended the stream. To leave the loop does not close
// the stream.
//
//	for e, err := range sub.All() {
//		if err != nil {
//			return err
//		}
//		...
//	}
func (s *Subscription) All() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			t := next(s.parent, s, s.queue.takeFirst)
			if t == nil {
				if err := s.Err(); err != nil {
					yield(nil, err)
				}
				return
			}
			more := yield(t.event, nil)
			s.queue.hasHandled(t)
			if !more {
				return
			}
		}
	}
}

// Err returns why the stream ended: a [*StreamError], the context's error, or
// [ErrClosed]. It is nil while the stream lives, and after Close.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.isClosed():
		return s.closeErr
	case s.parent.Err() != nil:
		return fmt.Errorf("ryze: the event stream of %s has ended: %w", quoted(s.handle.name), s.parent.Err())
	default:
		return nil
	}
}

// Close ends the stream and waits until it has stopped. It says goodbye to the
// service for at most a second. Events that wait are not delivered.
//
// It does not wait for handlers, and at most two seconds for a [Limiter], a
// transport or a logger. It always returns nil.
func (s *Subscription) Close() error {
	s.shut(nil)
	return nil
}

// closePatience is how long Close waits for the goodbye and for functions of
// the application that do not heed their context.
const closePatience = 2 * time.Second

func (s *Subscription) shut(reason error) {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closeErr = reason
		close(s.closed)
		s.mu.Unlock()
		s.cancel()
	})
	if s.ended != nil {
		patience := time.NewTimer(closePatience)
		defer patience.Stop()
		select {
		case <-s.ended:
		case <-patience.C:
			s.setState(StreamClosed)
		}
	}
	s.goroutines.Wait()
}

// finish is the end of the stream.
func (s *Subscription) finish(err error) {
	s.mu.Lock()
	if !s.isOver() {
		s.err = err
	}
	s.mu.Unlock()
	s.setState(StreamClosed)
	s.queue.end()
	s.cancel()
}

// State returns the state of the stream.
func (s *Subscription) State() StreamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Subscription) setOpen(conn *wsconn.Conn) {
	s.conn.Store(conn)
	s.mu.Lock()
	if s.state == StreamReconnecting {
		s.reconnects++
	}
	s.connected = conn.Opened()
	s.mu.Unlock()
	s.setState(StreamOpen)
	s.log(slog.LevelDebug, "event stream is open", nil)
}

func (s *Subscription) setLost(cause error) {
	s.mu.Lock()
	s.outage, s.connected = cause, time.Time{}
	s.mu.Unlock()
	s.setState(StreamReconnecting)
	s.log(slog.LevelWarn, "event stream was lost and will be opened again", cause)
}

// mostChanges is how many changes of state wait for a slow function.
const mostChanges = 64

func (s *Subscription) setState(state StreamState) {
	if changed, cause := s.enterState(state); changed {
		s.observer().streamState(s.parent, StreamStateInfo{s.handle.name, state, ErrorType(cause)})
	}
}

// enterState changes the state and says why, unless the stream has ended before.
func (s *Subscription) enterState(state StreamState) (changed bool, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == StreamClosed {
		return false, nil
	}
	s.state = state
	switch state {
	case StreamReconnecting:
		cause = s.outage
	case StreamClosed:
		cause, s.connected = s.err, time.Time{}
	}
	if s.config.onState == nil {
		return true, cause
	}
	if len(s.changes) == mostChanges {
		s.changes[mostChanges-1] = state
	} else {
		s.changes = append(s.changes, state)
	}
	if !s.telling {
		s.telling = true
		go s.tell()
	}
	return true, cause
}

// tell calls the state handler until it knows the last state.
func (s *Subscription) tell() {
	var panicked error
	defer func() {
		if panicked != nil { // the handler has ended this goroutine
			logUrgent(s.parent, panicked)
			go s.tell()
		}
	}()
	for {
		s.mu.Lock()
		if len(s.changes) == 0 {
			s.changes, s.telling = nil, false
			s.mu.Unlock()
			return
		}
		state := s.changes[0]
		s.changes = s.changes[1:]
		s.mu.Unlock()
		guard("the state handler", &panicked, func() { s.config.onState(state) })
		if panicked != nil {
			logUrgent(s.parent, panicked)
			panicked = nil
		}
	}
}

func (s *Subscription) log(level slog.Level, text string, err error) {
	logger := s.handle.client.config.logger
	if logger == nil {
		return
	}
	attrs := []slog.Attr{slog.String("instance", s.handle.name)}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	logger.LogAttrs(s.parent, level, "ryze: "+text, attrs...)
}
