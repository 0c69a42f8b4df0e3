package ryze

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// head returns the first bytes of a file, or the *ValidationError of a source
// that is missing, empty or cannot be read.
func (s MediaSource) head(field string) ([]byte, error) {
	if s.file == nil {
		return nil, invalid(field, "is missing; use MediaFile, MediaBytes, MediaReader, MediaFS or MediaURL")
	}
	head, err := s.file.head()
	if err != nil {
		return nil, &ValidationError{Field: field, Reason: "cannot be read: " + err.Error(), err: err}
	}
	if len(head) == 0 {
		return nil, invalid(field, "is empty")
	}
	return head, nil
}

// MediaSource is where a file comes from. The zero value is no source.
type MediaSource struct {
	url  string
	name string
	file sourceFile
}

// MediaFile is the file at that path. It is opened for each attempt, and can be
// sent as often as wanted, at the same time too.
func MediaFile(name string) MediaSource {
	return MediaSource{name: baseName(name), file: pathSource(name)}
}

// MediaBytes is a file in memory; name gives its name, of which the directories
// are dropped, and helps to tell its type. It can be sent as often as wanted, at the same time too; b must not
// change meanwhile.
func MediaBytes(name string, b []byte) MediaSource {
	return MediaSource{name: baseName(name), file: bytesSource(b)}
}

// MediaReader is whatever r gives until its end; name gives its name, of which
// the directories are dropped, and helps to tell its type. A reader that is an [io.Seeker] is read from where it
// stands, can be read again for another attempt, and its size is known. Any
// other is read once: a send that meets the rate limit after reading it fails
// with the error that says so. The reader is not closed, and must not be used
// before the send has returned.
func MediaReader(name string, r io.Reader) MediaSource {
	s := MediaSource{name: baseName(name)}
	if r != nil {
		s.file = newReaderSource(r)
	}
	return s
}

// MediaFS is an open file of any file system, such as an [embed.FS]. It is not
// closed.
func MediaFS(f fs.File) MediaSource {
	if f == nil {
		return MediaSource{}
	}
	s := MediaSource{}
	src := newReaderSource(f)
	if info, err := f.Stat(); err != nil {
		src.err = err
	} else {
		s.name = baseName(info.Name())
		switch {
		case info.IsDir():
			src.err = fmt.Errorf("%s is a directory", info.Name())
		case src.size < 0 && info.Mode().IsRegular():
			src.size = info.Size()
		}
	}
	s.file = src
	return s
}

// MediaURL is a file that the service itself fetches from a public http or
// https URL.
func MediaURL(u string) MediaSource { return MediaSource{url: u} }

// baseName cuts a path of any system to the name of the file: where a file lies
// on this machine is nobody's business. It returns "" when there is none.
func baseName(name string) string {
	name = strings.TrimRight(name, `/\`)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if len(name) >= 2 && name[1] == ':' && isLetter(name[0]) {
		name = name[2:] // the drive of Windows
	}
	if name == "." || name == ".." {
		return ""
	}
	return name
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// sourceFile is a file that can be read, perhaps more than once.
type sourceFile interface {
	// head returns the first bytes, without using them up.
	head() ([]byte, error)
	// open returns the whole file. Closing it does not close what the caller owns.
	open() (io.ReadCloser, error)
	// length is the number of bytes, -1 when not known before the end.
	length() int64
}

// pathSource keeps nothing between calls, so that one Media can be sent by
// many goroutines.
type pathSource string

func (s pathSource) head() ([]byte, error) {
	info, err := os.Stat(string(s))
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", string(s))
	}
	f, err := os.Open(string(s))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readHead(f)
}

func (s pathSource) length() int64 {
	info, err := os.Stat(string(s))
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

func (s pathSource) open() (io.ReadCloser, error) { return os.Open(string(s)) }

type bytesSource []byte

func (s bytesSource) head() ([]byte, error) { return s[:min(len(s), sniffed)], nil }

func (s bytesSource) open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s)), nil }

func (s bytesSource) length() int64 { return int64(len(s)) }

func readHead(r io.Reader) ([]byte, error) {
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// readerSource is a reader of the caller's.
type readerSource struct {
	seeker io.ReadSeeker // nil when it can be read only once
	start  int64
	once   *bufio.Reader
	used   bool
	size   int64
	err    error
}

func newReaderSource(r io.Reader) *readerSource {
	s := &readerSource{size: -1}
	if seeker, ok := r.(io.ReadSeeker); ok {
		// A pipe has a Seek that fails; it is then read once.
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil {
			end, err := seeker.Seek(0, io.SeekEnd)
			if err == nil {
				_, err = seeker.Seek(start, io.SeekStart)
			}
			if err != nil {
				s.err = err
			}
			s.seeker, s.start, s.size = seeker, start, end-start
			return s
		}
	}
	s.once = bufio.NewReaderSize(r, sniffed)
	return s
}

func (s *readerSource) length() int64 { return s.size }

func (s *readerSource) head() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.seeker == nil {
		head, err := s.once.Peek(sniffed)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return head, nil
	}
	if _, err := s.seeker.Seek(s.start, io.SeekStart); err != nil {
		return nil, err
	}
	return readHead(s.seeker) // open goes back to the start
}

var errReadOnce = errors.New("the reader was used by an attempt that was not accepted and cannot be read again; send a file or an io.Seeker to allow that")

func (s *readerSource) open() (io.ReadCloser, error) {
	if s.seeker != nil {
		if _, err := s.seeker.Seek(s.start, io.SeekStart); err != nil {
			return nil, err
		}
		return io.NopCloser(s.seeker), nil
	}
	if s.used {
		return nil, errReadOnce
	}
	s.used = true
	return io.NopCloser(s.once), nil
}

// bodyStream is a JSON body with a file in it as a base64 string, encoded on
// the way. Attempts open it one after the other.
type bodyStream struct {
	before, after []byte
	file          sourceFile
	fileSize      int64 // as it was when the body was made, -1 when not known
	reading       *streamReader
}

// newBodyStream makes the body: the JSON of v with a further string field.
func newBodyStream(file sourceFile, v any, field string) (*bodyStream, error) {
	encoded, err := encode(v)
	if err != nil {
		return nil, err
	}
	encoded = encoded[:len(encoded)-1] // without the closing brace
	if len(encoded) > 1 {
		encoded = append(encoded, ',')
	}
	return &bodyStream{
		before: append(encoded, `"`+field+`":"`...), after: []byte(`"}`),
		file: file, fileSize: file.length(),
	}, nil
}

// size is the length of the body, -1 when it is not known.
func (b *bodyStream) size() int64 {
	if b.fileSize < 0 {
		return -1
	}
	return int64(len(b.before)) + encodedLen(b.fileSize) + int64(len(b.after))
}

func encodedLen(n int64) int64 { return (n + 2) / 3 * 4 }

// repeatable reports whether the body can be had once more.
func (b *bodyStream) repeatable() bool {
	src, ok := b.file.(*readerSource)
	return !ok || src.seeker != nil || !src.used
}

func (b *bodyStream) open() (io.ReadCloser, error) {
	b.reading = &streamReader{stream: b, pending: b.before}
	return b.reading, nil
}

// failed returns the error of the file, if that is what ended the attempt.
func (b *bodyStream) failed() error {
	if b.reading == nil {
		return nil
	}
	return b.reading.failure()
}

// Close releases what an attempt may have left open.
func (b *bodyStream) Close() {
	if b.reading != nil {
		_ = b.reading.Close()
	}
}

// picture is an image on its way into a request: a URL, or a file that is
// streamed as base64. The zero value is no picture.
type picture struct {
	url  string
	file sourceFile
}

// picture checks a source that may be absent; field names it in the error.
func (s MediaSource) picture(field string) (picture, error) {
	switch {
	case s == (MediaSource{}):
		return picture{}, nil
	case s.url != "":
		_, err := checkMediaURL(field, s.url)
		return picture{url: s.url}, err
	}
	head, err := s.head(field)
	if err != nil {
		return picture{}, err
	}
	if kind := detectMIME(head, s.name); kindOfMIME(kind) != MediaImage && kind != "application/octet-stream" {
		return picture{}, invalid(field, "is "+kind+", not an image")
	}
	return picture{file: s.file}, nil
}
