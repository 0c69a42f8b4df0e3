package jsonscan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// ErrSkip ends [ReadAround] without an error.
var ErrSkip = errors.New("skip the rest")

// byteOrderMark is what some programs write before a text. JSON has none.
const byteOrderMark = "\ufeff"

var errLongRest = errors.New("there is too much beside the long string")

// ReadAround reads a JSON object in constant memory. The content of the string
// that is the object's member of that name goes to take, together with what
// came before it. All else is returned, at most most bytes, with an empty string
// in the place of that content. It does not check that what it returns is JSON.
//
// The content is read as base64 needs it: an escaped line break or tab is a line
// break, and an escaped character outside ASCII is an error. take has to read it
// to its end, or to return an error. After [ErrSkip] from take, null stands for
// the member, and the object ends there.
func ReadAround(r *bufio.Reader, member string, most int, take func(before []byte, content io.Reader) error) ([]byte, error) {
	if mark, _ := r.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = r.Discard(len(mark)) // it is buffered
	}
	var rest []byte
	depth, atKey, mine := 0, false, false
	for {
		b, err := r.ReadByte()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return rest, nil
		}
		if err != nil {
			return rest, err
		}
		switch b {
		case '{', '[':
			depth++
			atKey = depth == 1
		case '}', ']':
			depth--
		case ',':
			atKey = depth == 1
		case ':':
			atKey = atKey && depth != 1
		case '"':
			if depth == 1 && !atKey && mine {
				content := &stringReader{r: r}
				if err := take(rest, content); err != nil {
					if errors.Is(err, ErrSkip) {
						return append(rest, "null}"...), nil
					}
					return rest, err
				}
				rest = append(rest, `""`...)
				mine = false
				continue
			}
			text, err := readString(r, most-len(rest))
			if err != nil {
				return rest, err
			}
			rest = append(rest, text...)
			if depth == 1 && atKey {
				var key string
				mine = json.Unmarshal(text, &key) == nil && key == member
			}
			continue
		}
		if len(rest) >= most {
			return rest, errLongRest
		}
		rest = append(rest, b)
	}
}

// readString returns the rest of a JSON string as it is, quotes included.
func readString(r *bufio.Reader, most int) ([]byte, error) {
	text := []byte{'"'}
	for escaped := false; ; {
		b, err := r.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		if len(text) >= most {
			return nil, errLongRest
		}
		text = append(text, b)
		if b == '"' && !escaped {
			return text, nil
		}
		escaped = b == '\\' && !escaped
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// stringReader reads the content of a JSON string up to its closing quote.
type stringReader struct {
	r     *bufio.Reader
	ended bool
}

// Read implements [io.Reader].
func (s *stringReader) Read(p []byte) (int, error) {
	if s.ended {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := s.r.Peek(1); err != nil {
		return 0, unexpected(err)
	}
	window, _ := s.r.Peek(min(s.r.Buffered(), len(p))) // what is buffered is there
	n := bytes.IndexByte(window, '"')
	if n < 0 {
		n = len(window)
	}
	if e := bytes.IndexByte(window[:n], '\\'); e >= 0 {
		n = e
	}
	if n > 0 {
		copy(p, window[:n])
		_, err := s.r.Discard(n)
		return n, err
	}
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	if b == '"' {
		s.ended = true
		return 0, io.EOF
	}
	if p[0], err = s.escape(); err != nil {
		return 0, err
	}
	return 1, nil
}

// escape reads what follows a backslash. Base64 needs none, but an encoder may
// write "\/" or "\u002b".
func (s *stringReader) escape() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, unexpected(err)
	}
	switch b {
	case 'n', 'r', 't':
		return '\n', nil // skipped, as are they
	case 'b', 'f':
		return '\f', nil // not base64, which the letters would be
	case 'u':
		var hex [4]byte
		if _, err := io.ReadFull(s.r, hex[:]); err != nil {
			return 0, unexpected(err)
		}
		if n, err := strconv.ParseUint(string(hex[:]), 16, 7); err == nil {
			return byte(n), nil
		}
		return 0, errors.New("illegal base64: a character outside ASCII")
	default:
		return b, nil
	}
}
