package ryzetest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

// streamConfig is the WebSocket channel of an instance; nil until it is
// configured for the first time.
type streamConfig struct {
	enabled     bool
	events      []string
	mediaBase64 bool
}

// socketQueue is how many frames wait for a client that does not read, before
// its stream is cut. The service's own behaviour is not documented.
const socketQueue = 4096

// socket is one open event stream.
type socket struct {
	inst   *Instance
	conn   *websocket.Conn
	frames chan frame
	ctx    context.Context //nolint:containedctx // of the stream, which several goroutines serve
	cancel context.CancelFunc
	code   websocket.StatusCode // to close with, when that came before conn was there
	began  int                  // the resets before it
}

// frame is one event on its way to a stream.
type frame struct {
	event string
	body  []byte
}

// openStream is the handler of GET /ws/:instance.
func openStream(c *call) reply {
	s, inst := c.s, c.inst
	if origin := c.r.Header.Get("Origin"); origin != "" && !s.originAllowed(origin) && !sameHost(origin, c.r.Host) {
		return fail(http.StatusForbidden, "Origin not allowed")
	}
	s.mu.Lock()
	enabled := inst.stream != nil && inst.stream.enabled
	s.mu.Unlock()
	if !enabled {
		return fail(http.StatusBadRequest,
			"WebSocket is not enabled for this instance. Configure it first using POST /api/events/websocket/"+inst.name)
	}
	if !strings.EqualFold(c.r.Header.Get("Upgrade"), "websocket") {
		return fail(http.StatusUpgradeRequired, "Upgrade Required")
	}
	if c.fault != nil && c.fault.Applies() && c.fault.Drop == NoDrop {
		c.wait(c.r.Context(), c.fault.Delay)
	}

	c.commonHeaders(c.w.Header())
	so := &socket{inst: inst, frames: make(chan frame, socketQueue)}
	so.ctx, so.cancel = context.WithCancel(s.ctx)
	defer so.cancel()
	// The stream is open for events before the client learns that it is: what
	// happens right after its dial is not lost.
	if !s.addSocket(so) {
		return notFound(textNoInstance)
	}
	defer s.removeSocket(so)
	conn, err := websocket.Accept(c.w, c.r, s.acceptOptions())
	if err != nil {
		c.entry.setStatus(http.StatusBadRequest)
		return reply{hijacked: true}
	}
	defer conn.CloseNow()
	c.entry.setStatus(http.StatusSwitchingProtocols)
	c.finish()
	s.mu.Lock()
	so.conn = conn
	early := so.code
	s.mu.Unlock()
	if early != 0 {
		s.spawn(func() { conn.Close(early, "") })
	} else {
		s.spawn(so.write)
	}
	so.read()
	return reply{hijacked: true}
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host)
}

func (s *Server) addSocket(so *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || so.inst.deleted() {
		return false
	}
	so.inst.sockets[so] = struct{}{}
	so.began = s.resets
	so.inst.changed(Change{Kind: ChangeInstance})
	return true
}

// push queues a frame. The caller holds the lock.
func (so *socket) push(f frame) {
	select {
	case so.frames <- f:
	default:
		so.cut()
		so.note(f, errNotRead)
	}
}

var (
	errNotRead = errors.New("the stream was cut: its client does not read")
	errFrozen  = errors.New("lost: the streams are frozen")
)

// note logs a frame, when there is somebody to look at it. The caller holds the lock.
func (so *socket) note(f frame, err error) {
	s := so.inst.s
	if s.control != nil && s.resets == so.began {
		s.note(Delivery{
			Time: s.clock.now(), Instance: so.inst.name, Event: f.event, Attempt: 1, Body: f.body, Err: err, stream: true,
		})
	}
}

// sent logs a frame, without the lock.
func (so *socket) sent(f frame, err error) {
	if so.inst.s.control == nil {
		return
	}
	so.inst.s.mu.Lock()
	defer so.inst.s.mu.Unlock()
	so.note(f, err)
}

// write sends the queued frames. While the server is frozen they are lost.
func (so *socket) write() {
	defer so.cut()
	for {
		select {
		case <-so.ctx.Done():
			return
		case f := <-so.frames:
			if so.inst.s.isFrozen() {
				so.sent(f, errFrozen)
				continue
			}
			err := so.conn.Write(so.ctx, websocket.MessageText, f.body)
			if so.ctx.Err() == nil || err == nil {
				so.sent(f, err)
			}
			if err != nil {
				return
			}
		}
	}
}

// read answers pings and notices the end of the stream. What the client sends
// is ignored.
func (so *socket) read() {
	for {
		if _, _, err := so.conn.Read(so.ctx); err != nil {
			return
		}
	}
}

func (s *Server) removeSocket(so *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(so.inst.sockets, so)
	so.inst.changed(Change{Kind: ChangeInstance})
}

// cut ends the stream without a close frame. It does not wait, and may be
// called with the lock held.
func (so *socket) cut() { so.cancel() }

// end ends the stream, with a close frame unless the code is 0. The caller
// holds the lock, and has taken the stream off its instance.
func (so *socket) end(code int) {
	conn := so.conn
	switch {
	case code == 0:
		so.cut()
		return
	case conn == nil:
		so.code = websocket.StatusCode(code)
		return
	}
	so.inst.s.spawn(func() { conn.Close(websocket.StatusCode(code), "") })
}

// WebSockets returns how many event streams of the instance are open.
func (i *Instance) WebSockets() int {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return len(i.sockets)
}

// DropWebSockets ends the event streams of the instance: without a close frame
// for code 0, else with that code. For the service's codes see
// docs/service-notes.md.
func (i *Instance) DropWebSockets(code int) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.dropSockets(code)
}

func (i *Instance) dropSockets(code int) {
	for so := range i.sockets {
		delete(i.sockets, so)
		so.end(code)
		i.changed(Change{Kind: ChangeInstance})
	}
}

// DropWebSockets ends the event streams of all instances, see
// Instance.DropWebSockets.
func (s *Server) DropWebSockets(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.instances() {
		i.dropSockets(code)
	}
}

// FreezeWebSockets plays a dead network: open streams get neither events nor
// pongs, until it is called with false.
func (s *Server) FreezeWebSockets(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = frozen
}

func (s *Server) isFrozen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frozen
}

// Restart plays a restart of the service: all connections end abruptly, and new
// ones work. State and sessions stay.
func (s *Server) Restart() {
	s.DropWebSockets(0)
	s.dropConns()
}
