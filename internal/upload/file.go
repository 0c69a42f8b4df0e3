// Package upload writes JSON that has a file in it as a base64 string. The file
// is encoded on the way, so that it is never in memory as a whole, and can be
// had again for another attempt where its source allows that. It knows no
// endpoint.
package upload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// HeadSize is how much of a file [File.Head] returns at most: enough to tell its
// type.
const HeadSize = 512

// ErrReadOnce is the error of opening a reader a second time that can be read
// only once.
var ErrReadOnce = errors.New("the reader was used by an attempt that was not accepted and cannot be read again; send a file or an io.Seeker to allow that")

// File is a file that can be read, perhaps more than once.
type File interface {
	// Head returns the first bytes, at most HeadSize, without using them up.
	Head() ([]byte, error)
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
func (p Path) Head() ([]byte, error) {
	info, err := os.Stat(string(p))
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, isDirectory(string(p))
	}
	f, err := os.Open(string(p))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readHead(f)
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
func (b Bytes) Head() ([]byte, error) { return b[:min(len(b), HeadSize)], nil }

// Length implements [File].
func (b Bytes) Length() int64 { return int64(len(b)) }

// Open implements [File].
func (b Bytes) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Repeatable implements [File].
func (Bytes) Repeatable() bool { return true }

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
	used   bool
	size   int64
	err    error
}

// Reader is what r gives until its end. An [io.Seeker] is read from where it
// stands and can be opened again; any other reader can be opened once.
func Reader(r io.Reader) File { return newReader(r) }

// Opened is an open file of any file system, and its name. An error that comes
// here is the error of its head.
func Opened(f fs.File) (file File, name string) {
	r := newReader(f)
	info, err := f.Stat()
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

func newReader(from io.Reader) *reader {
	r := &reader{size: -1}
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
	r.once = bufio.NewReaderSize(from, HeadSize)
	return r
}

// Head implements [File].
func (r *reader) Head() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.seeker == nil {
		head, err := r.once.Peek(HeadSize)
		if err != nil && !isEnd(err) {
			return nil, err
		}
		return head, nil
	}
	if _, err := r.seeker.Seek(r.start, io.SeekStart); err != nil {
		return nil, err
	}
	return readHead(r.seeker) // Open goes back to the start
}

// Length implements [File].
func (r *reader) Length() int64 { return r.size }

// Open implements [File].
func (r *reader) Open() (io.ReadCloser, error) {
	if r.seeker != nil {
		if _, err := r.seeker.Seek(r.start, io.SeekStart); err != nil {
			return nil, err
		}
		return io.NopCloser(r.seeker), nil
	}
	if r.used {
		return nil, ErrReadOnce
	}
	r.used = true
	return io.NopCloser(r.once), nil
}

// Repeatable implements [File].
func (r *reader) Repeatable() bool { return r.seeker != nil || !r.used }
