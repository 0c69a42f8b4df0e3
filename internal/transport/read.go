package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// replyBody is a reply's body that remembers why it could not be read.
type replyBody struct {
	io.ReadCloser
	err error
}

func (b *replyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !isEOF(err) {
		b.err = err
	}
	return n, err
}

// gzipBody is a body that says to be compressed, although net/http has not asked
// for that: a proxy did it, or a transport around net/http asked. That may also
// have been undone already, and the header forgotten.
type gzipBody struct {
	io.ReadCloser
	plain io.Reader
	err   error
}

func (b *gzipBody) Read(p []byte) (int, error) {
	if b.plain == nil {
		buffered := bufio.NewReader(b.ReadCloser)
		b.plain = buffered
		if begin, _ := buffered.Peek(2); bytes.Equal(begin, []byte{0x1f, 0x8b}) {
			if b.plain, b.err = gzip.NewReader(buffered); b.err != nil {
				b.plain = buffered
			}
		}
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.plain.Read(p)
}

// isEOF reports whether a body has ended as it should.
func isEOF(err error) bool {
	return err == io.EOF || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) //nolint:errorlint // the usual one, at once
}

const (
	firstRead   = 4 << 10
	largestRead = 1 << 20
	// kept is how much of a reply that is too large is kept.
	kept = 64 << 10
)

// readAll reads a body of the stated size (-1 when not known) up to the limit.
// On an error it returns what was read, and the beginning of what is too large.
// A long body is read piece by piece, so that its memory is not had twice before
// it is known to be whole.
func readAll(body io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		b, _ := readAll(io.LimitReader(body, min(limit, kept)), -1, limit)
		return b, ErrTooLarge
	}
	room := int64(firstRead)
	if size >= 0 {
		room = min(size, largestRead) // the header may lie
	}
	var pieces [][]byte
	var before int64               // bytes in pieces
	buf := make([]byte, 0, room+1) // one more, to see the end without growing
	for {
		if before+int64(len(buf)) > limit {
			return clip(join(pieces, buf, kept), limit), ErrTooLarge
		}
		if len(buf) == cap(buf) {
			if len(buf) < largestRead {
				buf = append(buf, 0)[:len(buf)]
			} else {
				pieces, before = append(pieces, buf), before+int64(len(buf))
				buf = make([]byte, 0, largestRead)
			}
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == nil:
		case before+int64(len(buf)) > limit:
			return clip(join(pieces, buf, kept), limit), ErrTooLarge
		case isEOF(err):
			return join(pieces, buf, int(before)+len(buf)), nil
		default:
			return join(pieces, buf, int(before)+len(buf)), err
		}
	}
}

// join returns the first bytes of the pieces and of what follows them.
func join(pieces [][]byte, rest []byte, most int) []byte {
	if len(pieces) == 0 {
		return rest
	}
	whole := make([]byte, 0, most)
	for _, piece := range append(pieces, rest) {
		whole = append(whole, piece[:min(len(piece), most-len(whole))]...)
	}
	return whole
}

func clip(b []byte, limit int64) []byte { return b[:min(int64(len(b)), limit, kept)] }
