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
	b.reading = &bodyReader{body: b, pending: b.before}
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
// holds none open. net/http may close it while another goroutine reads.
type bodyReader struct {
	body *Body

	mu      sync.Mutex
	file    io.ReadCloser
	pending []byte // encoded, not read yet
	in, out []byte
	sent    int64 // bytes of the file
	state   readerState
	err     error // of the file
	closed  bool
}

type readerState int

const (
	readingFile readerState = iota
	readingAfter
	atEnd
)

// Read implements [io.Reader].
func (r *bodyReader) Read(p []byte) (int, error) {
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
	n, err := fill(r.file, r.in)
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

// Close implements [io.Closer]. It may be called more than once.
func (r *bodyReader) Close() error {
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
