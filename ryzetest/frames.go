package ryzetest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// An H2Code is an error code of HTTP/2, as RST_STREAM and GOAWAY carry it. Codes
// without a constant can be sent too.
type H2Code uint32

// The codes of RFC 9113, section 7.
const (
	H2NoError            H2Code = 0x0
	H2ProtocolError      H2Code = 0x1
	H2InternalError      H2Code = 0x2
	H2FlowControlError   H2Code = 0x3
	H2SettingsTimeout    H2Code = 0x4
	H2StreamClosed       H2Code = 0x5
	H2FrameSizeError     H2Code = 0x6
	H2RefusedStream      H2Code = 0x7
	H2Cancel             H2Code = 0x8
	H2CompressionError   H2Code = 0x9
	H2ConnectError       H2Code = 0xa
	H2EnhanceYourCalm    H2Code = 0xb
	H2InadequateSecurity H2Code = 0xc
	H2HTTP11Required     H2Code = 0xd
)

var h2Names = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String is the name in RFC 9113.
func (c H2Code) String() string {
	if int64(c) < int64(len(h2Names)) {
		return h2Names[c]
	}
	return fmt.Sprintf("0x%x", uint32(c))
}

// Types and flags of frames, RFC 9113, section 6.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameGoAway       = 0x7
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4

	frameHeader   = 9
	maxFrameSent  = 16 << 10 // what every peer must take
	maxFrameRead  = 1 << 20  // net/http's server takes no larger ones
	clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// streamHeader tells the handler of a request which stream it came on: net/http
// does not say, and faults are played on streams.
const streamHeader = "ryzetest-stream"

// frames stands between a client and net/http's server, and sees the frames of one
// connection. It needs no HPACK: it reads frame headers only, and what it adds to
// header blocks is written as literals, which depend on nothing before them.
type frames struct {
	conn *conn
	src  *bufio.Reader
	last atomic.Uint32 // highest stream of the client

	// of the reader
	ready   []byte // for the server
	preface bool   // has passed

	mu      sync.Mutex // of the writer, held while it writes
	dst     net.Conn
	head    [frameHeader]byte // of the server's frame that is being looked at
	have    int               // bytes of head
	greeted bool              // the server's SETTINGS, which must come first, are on their way
	left    int               // bytes of its payload that are still to come
	pass    int               // of these, how many go through
	after   []byte            // to be sent when its payload is through
	pending []byte            // to be sent at the next boundary of frames
	out     []byte
	dead    map[uint32]struct{} // streams of which nothing goes through any more
	cut     map[uint32]cut
}

// cut ends a stream in the middle of its reply.
type cut struct {
	left int // bytes of its body that go through before
	code H2Code
}

func newFrames(c *conn, under net.Conn) *frames {
	return &frames{
		conn: c, src: bufio.NewReaderSize(under, maxFrameSent), dst: under,
		dead: map[uint32]struct{}{}, cut: map[uint32]cut{},
	}
}

// Read hands the client's frames on, each request with the number of its stream.
func (f *frames) Read(p []byte) (int, error) {
	if len(f.ready) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

func (f *frames) next() error {
	if !f.preface {
		f.preface = true
		f.ready = make([]byte, len(clientPreface))
		_, err := io.ReadFull(f.src, f.ready)
		return err
	}
	var head [frameHeader]byte
	if _, err := io.ReadFull(f.src, head[:]); err != nil {
		return err
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	if size > maxFrameRead {
		return errFrameTooLarge
	}
	frame := append(make([]byte, 0, frameHeader+size+64), head[:]...)
	frame = frame[:frameHeader+size]
	if _, err := io.ReadFull(f.src, frame[frameHeader:]); err != nil {
		return err
	}
	kind, flags, stream := head[3], head[4], streamOf(head)
	opens := kind == frameHeaders && stream > f.last.Load()
	if opens {
		if f.last.Swap(stream) != 0 && f.conn.s.takeStale() {
			resetConn(f.conn)
			return syscall.ECONNRESET
		}
	}
	// Trailers have a header block too, without a request.
	if (opens || kind == frameContinuation) && flags&flagEndHeaders != 0 {
		frame[4] &^= flagEndHeaders
		number := appendLiteral(nil, streamHeader, strconv.FormatUint(uint64(stream), 10))
		frame = appendFrame(frame, frameContinuation, flagEndHeaders, stream, number)
	}
	f.ready = frame
	return nil
}

// Write sends the server's frames to the client, except those that a fault takes
// away.
func (f *frames) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	written := len(p)
	f.out = f.out[:0]
	for {
		if f.have == 0 && f.left == 0 && f.greeted {
			f.out = append(append(f.out, f.after...), f.pending...)
			f.after, f.pending = nil, nil
		}
		if len(p) == 0 {
			break
		}
		if f.left > 0 {
			n := min(f.left, len(p))
			through := min(f.pass, n)
			f.out = append(f.out, p[:through]...)
			f.pass -= through
			f.left -= n
			p = p[n:]
			continue
		}
		n := copy(f.head[f.have:], p)
		f.have += n
		p = p[n:]
		if f.have == frameHeader {
			f.have = 0
			f.greeted = true
			f.judge()
		}
	}
	if len(f.out) == 0 {
		return written, nil
	}
	if _, err := f.dst.Write(f.out); err != nil {
		return 0, err
	}
	return written, nil
}

// judge decides about the frame whose header is complete. Body that is taken away
// stays charged to the connection's window at the server, which a client makes
// far larger than any test cuts.
func (f *frames) judge() {
	size := int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	kind, flags, stream := f.head[3], f.head[4], streamOf(f.head)
	f.left, f.pass = size, size
	if _, dead := f.dead[stream]; dead && stream != 0 {
		f.pass = 0
		return
	}
	rule, ruled := f.cut[stream]
	if !ruled || kind != frameData && kind != frameHeaders {
		f.out = append(f.out, f.head[:]...)
		return
	}
	ends := flags&flagEndStream != 0
	if kind == frameData {
		f.pass = min(size, rule.left)
		rule.left -= f.pass
		ends = ends || f.pass < size || rule.left == 0
		f.cut[stream] = rule
	}
	if kind == frameHeaders || f.pass > 0 {
		f.out = appendHead(f.out, f.pass, kind, flags&^flagEndStream, stream)
	}
	if ends {
		delete(f.cut, stream)
		f.dead[stream] = struct{}{}
		f.after = appendReset(nil, stream, rule.code)
	}
}

// inject sends whole frames at the next boundary of frames.
func (f *frames) inject(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn.isFrozen() {
		return
	}
	f.pending = append(f.pending, b...)
	if f.have != 0 || f.left != 0 || !f.greeted {
		return
	}
	b, f.pending = f.pending, nil
	_, _ = f.dst.Write(b) // the client may be gone
}

func (f *frames) goAway(code H2Code, last uint32) {
	payload := binary.BigEndian.AppendUint32(nil, last)
	payload = binary.BigEndian.AppendUint32(payload, uint32(code))
	f.inject(appendFrame(nil, frameGoAway, 0, 0, payload))
}

// reset ends a stream; the server's own frames for it do not go out any more.
func (f *frames) reset(stream uint32, code H2Code) {
	f.bury(stream)
	f.inject(appendReset(nil, stream, code))
}

func (f *frames) bury(stream uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead[stream] = struct{}{}
}

// resetAfter ends a stream once so many bytes of its reply's body went out.
func (f *frames) resetAfter(stream uint32, bytes int, code H2Code) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut[stream] = cut{bytes, code}
}

// answer sends a reply in the place of the server, whose status may be anything.
func (f *frames) answer(stream uint32, status string, header [][2]string, body []byte, end bool) {
	block := appendLiteral(nil, ":status", status)
	for _, h := range header {
		block = appendLiteral(block, h[0], h[1])
	}
	flags := byte(flagEndHeaders)
	if end && len(body) == 0 {
		flags |= flagEndStream
	}
	b := appendFrame(nil, frameHeaders, flags, stream, block)
	for len(body) > 0 {
		n := min(len(body), maxFrameSent)
		flags = 0
		if end && n == len(body) {
			flags = flagEndStream
		}
		b = appendFrame(b, frameData, flags, stream, body[:n])
		body = body[n:]
	}
	f.bury(stream)
	f.inject(b)
}

func streamOf(head [frameHeader]byte) uint32 { return binary.BigEndian.Uint32(head[5:]) &^ (1 << 31) }

func appendHead(b []byte, size int, kind, flags byte, stream uint32) []byte {
	b = append(b, byte(size>>16), byte(size>>8), byte(size), kind, flags) //nolint:gosec // a size has three bytes
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendFrame(b []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	return append(appendHead(b, len(payload), kind, flags, stream), payload...)
}

func appendReset(b []byte, stream uint32, code H2Code) []byte {
	return appendFrame(b, frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, uint32(code)))
}

// appendLiteral writes a header field in HPACK's form that needs no table: a
// literal without indexing, with a new name (RFC 7541, section 6.2.2).
func appendLiteral(b []byte, name, value string) []byte {
	b = append(b, 0)
	for _, s := range []string{name, value} {
		b = appendLength(b, len(s))
		b = append(b, s...)
	}
	return b
}

// appendLength writes an integer with a prefix of 7 bits (RFC 7541, section 5.1).
func appendLength(b []byte, n int) []byte {
	const prefix = 1<<7 - 1
	if n < prefix {
		return append(b, byte(n)) //nolint:gosec // it is below 127
	}
	return binary.AppendUvarint(append(b, prefix), uint64(n-prefix))
}
