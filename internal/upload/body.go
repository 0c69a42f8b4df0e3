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

// Body is a JSON object with a file in it as a base64 string. Attempts open it
// one after the other. It must be closed.
type Body struct {
	before, after []byte
	file          File
	fileSize      int64 // as it was when the body was made, -1 when not known
	reading       *bodyReader
}

// ErrStillRead is the error of a reader in which a Read of an earlier call has not
// returned. Nobody can stop it.
var ErrStillRead = errors.New("a Read of an earlier attempt has not returned")

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

// Stalled reports whether the last attempt still waits for its source.
func (b *Body) Stalled() bool { return b.reading != nil && b.reading.waits() }

// Open returns the body from its beginning. The file is opened at the first
// read. An error of the file is the error of the read; see [Body.Err].
func (b *Body) Open() (io.ReadCloser, error) {
	b.reading = &bodyReader{body: b, pending: b.before, done: make(chan struct{})}
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
// holds none open.
//
// The file is opened and read by a goroutine for each chunk, because it may block
// for as long as it likes: Close ends a Read that waits for it at once. What was
// asked of the file then goes on alone, until it returns.
type bodyReader struct {
	body *Body

	// Of the goroutine that reads.
	pending []byte // encoded, not read yet
	state   readerState

	// Of whoever fetches: never two at a time.
	in, out []byte
	sent    int64 // bytes of the file

	done chan struct{} // closed by Close

	mu       sync.Mutex
	file     io.ReadCloser
	err      error // of the file
	fetching bool
	closed   bool
}

type readerState int

const (
	readingFile readerState = iota
	readingAfter
	atEnd
)

// chunkOf is what one fetch brought.
type chunkOf struct {
	encoded []byte
	last    bool
	err     error
}

var errClosed = errors.New("read after close")

// Read implements [io.Reader].
func (r *bodyReader) Read(p []byte) (int, error) {
	for len(r.pending) == 0 {
		switch r.state {
		case readingFile:
			if err := r.next(); err != nil {
				return 0, err
			}
		case readingAfter:
			r.pending, r.state = r.body.after, atEnd
		case atEnd:
			return 0, io.EOF
		}
	}
	select {
	case <-r.done:
		return 0, errClosed
	default:
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// next waits for the next chunk of the file, unless the body is closed before.
func (r *bodyReader) next() error {
	r.mu.Lock()
	switch {
	case r.closed:
		r.mu.Unlock()
		return errClosed
	case r.err != nil:
		defer r.mu.Unlock()
		return r.err
	}
	r.fetching = true
	r.mu.Unlock()
	fetched := make(chan chunkOf, 1)
	go func() { fetched <- r.fetch() }()
	select {
	case <-r.done:
		return errClosed
	case c := <-fetched:
		if c.err != nil {
			return c.err
		}
		r.pending = c.encoded
		if c.last {
			r.state = readingAfter
		}
		return nil
	}
}

// fetch reads and encodes the next chunk of the file, and closes the file when
// nobody waits for it any more.
func (r *bodyReader) fetch() (c chunkOf) {
	c = r.encode()
	r.mu.Lock()
	r.fetching = false
	if r.closed {
		c.err = errClosed
	} else {
		r.err = c.err
	}
	file, orphan := r.file, r.closed
	r.mu.Unlock()
	if orphan && file != nil {
		_ = file.Close()
	}
	return c
}

// encode reads and encodes the next chunk of the file.
func (r *bodyReader) encode() (c chunkOf) {
	defer recovered(&c.err)
	if r.in == nil {
		f, err := r.body.file.Open()
		if err != nil {
			return chunkOf{err: err}
		}
		r.mu.Lock()
		r.file = f
		r.mu.Unlock()
		r.in, r.out = make([]byte, chunk), make([]byte, base64.StdEncoding.EncodedLen(chunk))
	}
	n, err := fill(whileOpen{r}, r.in)
	r.sent += int64(n)
	want := r.body.fileSize
	switch {
	case err == nil:
		if want >= 0 && r.sent > want {
			return chunkOf{err: ErrFileChanged}
		}
	case isEnd(err):
		if want >= 0 && r.sent != want {
			return chunkOf{err: fmt.Errorf("%w: %d bytes instead of %d", ErrFileChanged, r.sent, want)}
		}
		c.last = true
	default:
		return chunkOf{err: err}
	}
	base64.StdEncoding.Encode(r.out, r.in[:n])
	c.encoded = r.out[:base64.StdEncoding.EncodedLen(n)]
	return c
}

// whileOpen reads the file until the body is closed.
type whileOpen struct{ of *bodyReader }

// Read implements [io.Reader].
func (w whileOpen) Read(p []byte) (int, error) {
	select {
	case <-w.of.done:
		return 0, errClosed
	default:
		return w.of.file.Read(p)
	}
}

// fill reads until buf is full or the source ends. Unlike [io.ReadFull] it does
// not speak of an unexpected end itself: one that the source speaks of is a file
// that broke off.
func fill(from io.Reader, buf []byte) (n int, err error) {
	const mostEmpty = 100 // as in package bufio
	for empty := 0; n < len(buf) && err == nil; empty++ {
		if empty > mostEmpty {
			return n, io.ErrNoProgress
		}
		var read int
		if read, err = from.Read(buf[n:]); read > 0 {
			empty = 0
		}
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

func (r *bodyReader) waits() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetching
}

// Close implements [io.Closer]. It may be called more than once, and while another
// goroutine reads. It never waits for the file: closing it ends a Read of a pipe,
// and one that cannot be ended closes the file when it returns.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	close(r.done)
	file := r.file
	r.mu.Unlock()
	if file != nil {
		return file.Close()
	}
	return nil
}
