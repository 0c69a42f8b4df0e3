package ryzetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

var errTooLarge = errors.New("request body too large")

// boundedReader fails once more than its limit was read.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// drain reads a body that nobody looks at, so that the client gets its reply.
func (c *call) drain() {
	limit := c.s.cfg.bodyLimit
	if c.route != nil && len(c.route.stream) > 0 {
		limit = c.s.cfg.mediaLimit
	}
	_, _ = io.Copy(c.entry, &boundedReader{c.r.Body, limit}) // too much of it, or its end: the reply is the same
}

// readBody reads and checks the JSON body. It reports true with the reply of a
// body that cannot be used.
func (c *call) readBody() (reply, bool) {
	rt := c.route
	limit := c.s.cfg.bodyLimit
	if len(rt.stream) > 0 {
		limit = c.s.cfg.mediaLimit
	}
	src := io.TeeReader(&boundedReader{c.r.Body, limit}, c.entry)
	if rt.body == nil {
		n, _ := io.Copy(io.Discard, src)
		if n > 0 && c.r.Method == http.MethodGet {
			c.violate(UselessBody, c.r.Method)
		}
		return reply{}, false
	}

	raw, err := c.readJSON(src)
	if errors.Is(err, errTooLarge) {
		return fail(http.StatusRequestEntityTooLarge, "Request Entity Too Large"), true
	}
	if err != nil {
		return c.malformed(err.Error()), true
	}
	if t, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); t != "application/json" {
		c.violate(ContentType, c.r.Header.Get("Content-Type"))
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return c.malformed(err.Error()), true
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c.malformed("invalid character after top-level value"), true
	}
	o, isObject := v.(obj)
	if !isObject {
		return c.malformed("json: cannot unmarshal into an object"), true
	}
	c.body = o
	for _, f := range checkObject(o, rt.body, "") {
		c.violate(f.kind, f.detail)
		if f.kind == WrongType {
			err = errors.New("json: cannot unmarshal " + f.detail)
		}
	}
	if err != nil {
		return c.malformed(err.Error()), true
	}
	return reply{}, false
}

func (c *call) malformed(detail string) reply {
	text := c.route.badBody
	if text == "" {
		text = badBodyPlain
	}
	if strings.HasSuffix(text, ": ") {
		text += detail
	}
	return badRequest(text)
}

// readJSON reads the whole body, except the values of streamed fields: those go
// to payloads, and empty strings stand in their place.
func (c *call) readJSON(src io.Reader) ([]byte, error) {
	if len(c.route.stream) == 0 {
		return io.ReadAll(src)
	}
	c.media = map[string]*payload{}
	sc := &splitter{r: bufio.NewReaderSize(src, 32<<10), limit: c.s.cfg.bodyLimit}
	err := sc.run(func(key string) io.Writer {
		for _, name := range c.route.stream {
			if name == key {
				p := newPayload(c.s.cfg.mediaKeep)
				c.media[key] = p
				return p
			}
		}
		return nil
	})
	return sc.out.Bytes(), err
}

// splitter copies JSON text, and sends the content of chosen top-level strings
// elsewhere. It does not validate: what it copies is decoded afterwards.
type splitter struct {
	r     *bufio.Reader
	out   bytes.Buffer
	limit int64 // of what is copied
}

// run reads to the end. divert is asked for each top-level key whose value is
// a string; with a writer, the unescaped content of the string goes there.
func (s *splitter) run(divert func(key string) io.Writer) error {
	depth := 0
	key := ""
	expectValue := false
	for {
		b, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch b {
		case '{', '[':
			depth++
			expectValue = false
		case '}', ']':
			depth--
		case ':':
			if depth == 1 {
				expectValue = true
			}
		case ',':
			expectValue = false
		case '"':
			isKey := depth == 1 && !expectValue
			if depth == 1 && expectValue {
				expectValue = false
				if w := divert(key); w != nil {
					if err := s.copyString(w); err != nil {
						return err
					}
					s.out.WriteString(`""`)
					continue
				}
			}
			start := s.out.Len()
			s.out.WriteByte('"')
			if err := s.keepString(); err != nil {
				return err
			}
			if isKey {
				if err := json.Unmarshal(s.out.Bytes()[start:], &key); err != nil {
					return err
				}
			}
			continue
		}
		s.out.WriteByte(b)
		if int64(s.out.Len()) > s.limit {
			return errTooLarge
		}
	}
}

// keepString copies the rest of a string, escapes and closing quote included.
func (s *splitter) keepString() error {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		s.out.WriteByte(b)
		if int64(s.out.Len()) > s.limit {
			return errTooLarge
		}
		switch b {
		case '"':
			return nil
		case '\\':
			if b, err = s.r.ReadByte(); err != nil {
				return unexpected(err)
			}
			s.out.WriteByte(b)
		}
	}
}

// copyString sends the rest of a string to w, without its escapes.
func (s *splitter) copyString(w io.Writer) error {
	for {
		chunk, err := s.r.Peek(max(1, min(s.r.Buffered(), 16<<10)))
		if len(chunk) == 0 {
			return unexpected(err)
		}
		for _, special := range []byte{'"', '\\'} {
			if i := bytes.IndexByte(chunk, special); i >= 0 {
				chunk = chunk[:i]
			}
		}
		if len(chunk) > 0 {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
			_, _ = s.r.Discard(len(chunk)) // it is in the buffer
			continue
		}
		b, _ := s.r.ReadByte()
		if b == '"' {
			return nil
		}
		if err := s.copyEscape(w); err != nil {
			return err
		}
	}
}

func (s *splitter) copyEscape(w io.Writer) error {
	esc := []byte{'"', '\\'}
	b, err := s.r.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	esc = append(esc, b)
	if b == 'u' {
		for range 4 {
			if b, err = s.r.ReadByte(); err != nil {
				return unexpected(err)
			}
			esc = append(esc, b)
		}
	}
	var text string
	if err := json.Unmarshal(append(esc, '"'), &text); err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

func unexpected(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
