package ryze

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
)

// chunk is how much of a file is encoded at a time: a multiple of three, so
// that only the end needs padding.
const chunk = 3 * 8 << 10

var errFileChanged = errors.New("the file changed its size while it was being sent")

// streamReader reads a [bodyStream] once: before, the encoded file, after. It
// opens the file when it is first read, so that a request that waits for quota
// holds none open. net/http may close it while another goroutine reads.
type streamReader struct {
	stream *bodyStream

	mu      sync.Mutex
	file    io.ReadCloser
	pending []byte // encoded, not read yet
	in, out []byte
	sent    int64 // bytes of the file
	state   streamState
	err     error // of the file
	closed  bool
}

type streamState int

const (
	readingFile streamState = iota
	readingAfter
	atEnd
)

// Read implements [io.Reader].
func (r *streamReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, errors.New("read after close")
	}
	for len(r.pending) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		switch r.state {
		case readingFile:
			r.err = r.encode()
		case readingAfter:
			r.pending, r.state = r.stream.after, atEnd
		case atEnd:
			return 0, io.EOF
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// encode reads and encodes the next chunk of the file.
func (r *streamReader) encode() error {
	if r.file == nil {
		f, err := r.stream.file.open()
		if err != nil {
			return err
		}
		r.file = f
		r.in, r.out = make([]byte, chunk), make([]byte, base64.StdEncoding.EncodedLen(chunk))
	}
	n, err := io.ReadFull(r.file, r.in)
	r.sent += int64(n)
	want := r.stream.fileSize
	switch {
	case err == nil:
		if want >= 0 && r.sent > want {
			return errFileChanged
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if want >= 0 && r.sent != want {
			return fmt.Errorf("%w: %d bytes instead of %d", errFileChanged, r.sent, want)
		}
		r.state = readingAfter
	default:
		return err
	}
	base64.StdEncoding.Encode(r.out, r.in[:n])
	r.pending = r.out[:base64.StdEncoding.EncodedLen(n)]
	return nil
}

func (r *streamReader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Close implements [io.Closer]. It may be called more than once.
func (r *streamReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.in, r.out, r.pending = nil, nil, nil
	if r.file != nil {
		return r.file.Close()
	}
	return nil
}
