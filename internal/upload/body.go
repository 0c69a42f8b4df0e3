package upload

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

// ErrFileChanged is the error of a file that has another size than it had when
// its [Body] was made.
var ErrFileChanged = errors.New("the file changed its size while it was being sent")

// errBusy is the error of opening a file out of which the attempt before is still
// reading.
var errBusy = errors.New("the file does not answer: the attempt before is still waiting for it")

// Body is a JSON object with a file in it as a base64 string. Attempts open it
// one after the other. It must be closed.
type Body struct {
	before, after []byte
	file          File
	fileSize      int64 // as it was when the body was made, -1 when not known
	reading       *bodyReader
}

// NewBody returns the body that is the JSON object with a further field: the
// prefix and, behind it, the file as base64. Neither the field nor the prefix is
// escaped. The object is not kept.
func NewBody(object []byte, field, prefix string, file File) *Body {
	before := make([]byte, 0, len(object)+len(field)+len(prefix)+len(`,"":"`))
	before = append(before, object[:len(object)-1]...) // without the closing brace
	if len(before) > 1 {
		before = append(before, ',')
	}
	before = append(before, `"`+field+`":"`+prefix...)
	return &Body{before: before, after: []byte(`"}`), file: file, fileSize: file.Length()}
}

// Size is the length of the body in bytes, -1 when it is not known.
func (b *Body) Size() int64 {
	if b.fileSize < 0 {
		return -1
	}
	return int64(len(b.before)) + EncodedLen(b.fileSize) + int64(len(b.after))
}

// EncodedLen is the length of n bytes as base64.
func EncodedLen(n int64) int64 { return (n + 2) / 3 * 4 }

// Repeatable reports whether the body can be opened, perhaps once more.
func (b *Body) Repeatable() bool { return b.file.Repeatable() }

// Open returns the body from its beginning. The file is opened at the first
// read. An error of the file is the error of the read; see [Body.Err].
func (b *Body) Open() (io.ReadCloser, error) {
	if b.reading != nil && b.reading.isBusy() {
		return nil, errBusy
	}
	b.reading = &bodyReader{body: b, pending: b.before, stop: make(chan struct{})}
	return b.reading, nil
}

// Err returns the error of the file, if that is what ended the last attempt.
func (b *Body) Err() error {
	if b.reading == nil {
		return nil
	}
	return b.reading.failure()
}

// Close releases what an attempt may have left open.
func (b *Body) Close() {
	if b.reading != nil {
		_ = b.reading.Close()
	}
}

// bodyReader reads a [Body] once: before, the encoded file, after. It
// opens the file when it is first read, so that a request that waits for quota
// holds none open. net/http may close it while another goroutine reads; a file
// that does not answer holds up nobody but that one.
type bodyReader struct {
	body *Body

	// Of whoever reads.
	file    io.ReadCloser
	pending []byte // encoded, not read yet
	in, out []byte
	sent    int64 // bytes of the file
	state   readerState
	broken  error // what the file said

	mu      sync.Mutex
	reading bool          // somebody is in Read
	waiting bool          // for the file, which belongs to the caller and may take long
	stop    chan struct{} // closed with the reader
	closed  bool
	err     error // of the file
}

type readerState int

const (
	readingFile readerState = iota
	readingAfter
	atEnd
)

var errClosed = errors.New("read after close")

// Read implements [io.Reader].
func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return 0, errClosed
	}
	r.reading = true
	r.mu.Unlock()

	n, err := r.read(p)

	r.mu.Lock()
	r.reading, r.err = false, r.broken
	closed := r.closed
	r.mu.Unlock()
	if closed { // meanwhile
		_ = r.release()
		return 0, errClosed
	}
	return n, err
}

func (r *bodyReader) read(p []byte) (int, error) {
	for len(r.pending) == 0 {
		if r.broken != nil {
			return 0, r.broken
		}
		switch r.state {
		case readingFile:
			if err := r.encode(); err == errClosed { //nolint:errorlint // never wrapped
				return 0, err
			} else if err != nil {
				r.broken = err
			}
		case readingAfter:
			r.pending, r.state = r.body.after, atEnd
		case atEnd:
			return 0, io.EOF
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// encode reads and encodes the next chunk of the file.
func (r *bodyReader) encode() error {
	if r.file == nil {
		f, err := r.body.file.Open()
		if err != nil {
			return err
		}
		r.file = f
		r.in, r.out = make([]byte, chunk), make([]byte, base64.StdEncoding.EncodedLen(chunk))
	}
	n, err := r.fill()
	if err == errClosed { //nolint:errorlint // never wrapped
		return err
	}
	r.sent += int64(n)
	want := r.body.fileSize
	switch {
	case err == nil:
		if want >= 0 && r.sent > want {
			return ErrFileChanged
		}
	case isEnd(err):
		if want >= 0 && r.sent != want {
			return fmt.Errorf("%w: %d bytes instead of %d", ErrFileChanged, r.sent, want)
		}
		r.state = readingAfter
	default:
		return err
	}
	base64.StdEncoding.Encode(r.out, r.in[:n])
	r.pending = r.out[:base64.StdEncoding.EncodedLen(n)]
	return nil
}

// fill reads the next chunk. It does not wait for a file of the caller's when the
// reader is closed; the read that is under way ends when the file answers.
func (r *bodyReader) fill() (int, error) {
	if !r.body.file.MayBlock() {
		return fill(r.file, r.in)
	}
	type result struct {
		n   int
		err error
	}
	file, buf, done := r.file, r.in, make(chan result, 1)
	r.setWaiting(true)
	go func() {
		n, err := fill(file, buf)
		r.setWaiting(false)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return got.n, got.err
	case <-r.stop:
		return 0, errClosed
	}
}

func (r *bodyReader) setWaiting(waiting bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = waiting
}

// fill reads until buf is full or the source ends. Unlike [io.ReadFull] it does
// not speak of an unexpected end itself: one that the source speaks of is a file
// that broke off.
func fill(from io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var read int
		read, err = from.Read(buf[n:])
		n += read
	}
	if n == len(buf) && isEnd(err) {
		err = nil // it will say so again
	}
	return n, err
}

// isEnd reports whether a source has ended as it should: with [io.EOF] itself, as
// [io.Reader] wants it. One that wraps it tells of something else.
func isEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above

func (r *bodyReader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// isBusy reports whether a read of the file is under way.
func (r *bodyReader) isBusy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reading || r.waiting
}

// Close implements [io.Closer]. It may be called more than once.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	again, reading := r.closed, r.reading
	r.closed = true
	if !again {
		close(r.stop)
	}
	r.mu.Unlock()
	if again || reading {
		return nil // the one that reads closes the file
	}
	return r.release()
}

// release lets go of the file. What a read of it that is still under way has, is
// its own.
func (r *bodyReader) release() error {
	r.in, r.out, r.pending = nil, nil, nil
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
