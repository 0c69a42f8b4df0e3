// Package upload writes JSON that has a file in it as a base64 string. The file
// is encoded on the way, so that it is never in memory as a whole, and can be
// had again for another attempt where its source allows that. It knows no
// endpoint.
package upload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// HeadSize is how much of a file [File.Head] returns at most: enough to tell its
// type.
const HeadSize = 512

// ErrReadOnce is the error of opening a reader a second time that can be read
// only once.
var ErrReadOnce = errors.New("the reader was used by an attempt that was not accepted and cannot be read again; send a file or an io.Seeker to allow that")

// File is a file that can be read, perhaps more than once.
type File interface {
	// Head returns the first bytes, at most HeadSize, without using them up. When
	// the context has ended it begins no further Read; see the function Head.
	Head(ctx context.Context) ([]byte, error)
	// Open returns the whole file. Closing it does not close what the caller owns.
	Open() (io.ReadCloser, error)
	// Length is the number of bytes, -1 when it is not known before the end.
	Length() int64
	// Repeatable reports whether the file can be opened, perhaps once more.
	Repeatable() bool
}

// Path is the file at a path. It keeps nothing between calls, so that many
// goroutines can send one file.
type Path string

// Head implements [File].
func (p Path) Head(ctx context.Context) ([]byte, error) {
	info, err := os.Stat(string(p))
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, isDirectory(string(p))
	case !info.Mode().IsRegular():
		// What is read of it is gone, and opening it may block for ever.
		return nil, fmt.Errorf("%s is not a regular file", string(p))
	}
	f, err := os.Open(string(p))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readHead(&watched{f, ctx})
}

func isDirectory(name string) error { return fmt.Errorf("%s is a directory", name) }

// Length implements [File].
func (p Path) Length() int64 {
	info, err := os.Stat(string(p))
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

// Open implements [File].
func (p Path) Open() (io.ReadCloser, error) { return os.Open(string(p)) }

// Repeatable implements [File].
func (Path) Repeatable() bool { return true }

// Bytes is a file in memory.
type Bytes []byte

// Head implements [File].
func (b Bytes) Head(context.Context) ([]byte, error) { return b[:min(len(b), HeadSize)], nil }

// Length implements [File].
func (b Bytes) Length() int64 { return int64(len(b)) }

// Open implements [File].
func (b Bytes) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Repeatable implements [File].
func (Bytes) Repeatable() bool { return true }

// ErrNoData is the error of a file whose beginning did not come in time.
var ErrNoData = errors.New("no data came in time")

// Head returns the head of a file, and at once the context's error when that ends,
// or an error that is ErrNoData after the limit. A Read that has begun cannot be
// stopped: it goes on alone.
func Head(ctx context.Context, f File, limit time.Duration) ([]byte, error) {
	if b, ok := f.(Bytes); ok {
		return b.Head(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type result struct {
		head []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		defer recovered(&r.err)
		r.head, r.err = f.Head(limited)
	}()
	select {
	case r := <-done:
		if r.err == nil || limited.Err() == nil {
			return r.head, r.err
		}
	case <-limited.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w, within %v: %w", ErrNoData, limit, limited.Err())
}

// recovered makes an error of a panic of the caller's reader, which nobody else
// could recover from.
func recovered(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("the reader panicked: %v", value)
	}
}

// watched is a reader of which no more is read when the context has ended.
type watched struct {
	from io.Reader
	ctx  context.Context //nolint:containedctx // nil, or for as long as the head is read
}

// Read implements [io.Reader].
func (w *watched) Read(p []byte) (int, error) {
	if w.ctx != nil && w.ctx.Err() != nil {
		return 0, w.ctx.Err()
	}
	return w.from.Read(p)
}

func readHead(r io.Reader) ([]byte, error) {
	head := make([]byte, HeadSize)
	n, err := fill(r, head)
	if err != nil && !isEnd(err) {
		return nil, err
	}
	return head[:n], nil
}

// reader is a reader of the caller's.
type reader struct {
	seeker io.ReadSeeker // nil when it can be read only once
	start  int64
	once   *bufio.Reader
	source *watched // what once reads
	used   bool
	size   int64
	err    error
	// busy is locked while the reader is used. It belongs to the caller, and must
	// never be used by two at a time, not even if a Read does not return.
	busy sync.Mutex
}

// Reader is what r gives until its end. An [io.Seeker] is read from where it
// stands and can be opened again; any other reader can be opened once.
func Reader(r io.Reader) File { return newReader(r) }

// Opened is an open file of any file system, and its name. An error that comes
// here is the error of its head.
func Opened(f fs.File) (file File, name string) {
	r := newReader(f)
	if r.err != nil {
		return r, ""
	}
	info, err := stat(f)
	switch {
	case err != nil:
		r.err = err
		return r, ""
	case info.IsDir():
		r.err = isDirectory(info.Name())
	case r.size < 0 && info.Mode().IsRegular():
		r.size = info.Size()
	}
	return r, info.Name()
}

func stat(f fs.File) (info fs.FileInfo, err error) {
	defer recovered(&err)
	return f.Stat()
}

func newReader(from io.Reader) *reader {
	r := &reader{size: -1}
	defer recovered(&r.err) // a nil pointer, for one, which the head then tells of
	r.source = &watched{from: from}
	r.once = bufio.NewReaderSize(r.source, HeadSize)
	if seeker, ok := from.(io.ReadSeeker); ok {
		// A pipe has a Seek that fails; it is then read once.
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil {
			end, err := seeker.Seek(0, io.SeekEnd)
			if err == nil {
				_, err = seeker.Seek(start, io.SeekStart)
			}
			r.err = err
			r.seeker, r.start, r.size = seeker, start, end-start
			return r
		}
	}
	return r
}

// Head implements [File].
func (r *reader) Head(ctx context.Context) ([]byte, error) {
	if !r.busy.TryLock() {
		return nil, ErrStillRead
	}
	defer r.busy.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	if r.seeker == nil {
		r.source.ctx = ctx
		head, err := r.once.Peek(HeadSize)
		r.source.ctx = nil
		if err != nil && !isEnd(err) {
			return nil, err
		}
		return head, nil
	}
	if _, err := r.seeker.Seek(r.start, io.SeekStart); err != nil {
		return nil, err
	}
	return readHead(&watched{r.seeker, ctx}) // Open goes back to the start
}

// Length implements [File].
func (r *reader) Length() int64 { return r.size }

// Open implements [File].
func (r *reader) Open() (io.ReadCloser, error) {
	if !r.busy.TryLock() {
		return nil, ErrStillRead
	}
	defer r.busy.Unlock()
	if r.seeker != nil {
		if _, err := r.seeker.Seek(r.start, io.SeekStart); err != nil {
			return nil, err
		}
		return &borrowed{r, r.seeker}, nil
	}
	if r.used {
		return nil, ErrReadOnce
	}
	r.used = true
	return &borrowed{r, r.once}, nil
}

// Repeatable implements [File].
func (r *reader) Repeatable() bool {
	if !r.busy.TryLock() {
		return false
	}
	defer r.busy.Unlock()
	return r.seeker != nil || !r.used
}

// borrowed is a reader of the caller's while it is read.
type borrowed struct {
	of   *reader
	from io.Reader
}

// Read implements [io.Reader].
func (b *borrowed) Read(p []byte) (int, error) {
	if !b.of.busy.TryLock() {
		return 0, ErrStillRead
	}
	defer b.of.busy.Unlock()
	return b.from.Read(p)
}

// Close implements [io.Closer]: it leaves the reader to the caller.
func (*borrowed) Close() error { return nil }
