package ryze

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

// MediaSource is where a file comes from. The zero value is no source.
type MediaSource struct {
	url  string
	name string
	file upload.File
}

// MediaFile is the regular file with this path. It can be sent again, also at
// the same time: each attempt opens it. Send an open pipe or device with
// [MediaFS].
func MediaFile(name string) MediaSource {
	return MediaSource{name: baseName(name), file: upload.Path(name)}
}

// MediaBytes is a file in memory. The name, without directories, helps to find
// its type. It can be sent again, also at the same time. Do not change b.
func MediaBytes(name string, b []byte) MediaSource {
	return MediaSource{name: baseName(name), file: upload.Bytes(b)}
}

// MediaReader is what r gives until its end. The name, without directories,
// helps to find its type. An [io.Seeker] is read from its position and can be
// sent again. Another reader can be read only once: after a rate limit the send
// returns an error.
//
// The reader is not closed. A Read that blocks does not hold up the send; do
// not use the reader before it returns.
func MediaReader(name string, r io.Reader) MediaSource {
	s := MediaSource{name: baseName(name)}
	if r != nil {
		s.file = upload.Reader(r)
	}
	return s
}

// MediaFS is an open file of a file system, such as an [embed.FS], or a pipe.
// It is not closed. The rules of [MediaReader] for blocking hold here too.
func MediaFS(f fs.File) MediaSource {
	if f == nil {
		return MediaSource{}
	}
	file, name := upload.Opened(f)
	return MediaSource{name: baseName(name), file: file}
}

// MediaURL is a file that the service itself fetches from a public http or
// https URL.
func MediaURL(u string) MediaSource { return MediaSource{url: u} }

// baseName cuts a path of any system to the name of the file: where a file lies
// on this machine is nobody's business. It returns "" when there is none.
func baseName(name string) string {
	if i := strings.IndexAny(name, "?#"); i >= 0 && strings.Contains(name[:i], "://") {
		name = name[:i] // of a URL, whose query may be a secret
	}
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

// head returns the first bytes of a file, or the *ValidationError of a source
// that is missing, empty or cannot be read. It waits for them no longer than the
// limit, and the context, allow.
func (s MediaSource) head(ctx context.Context, field string, limit time.Duration) ([]byte, error) {
	if s.file == nil {
		return nil, invalid(field, "is missing; use MediaFile, MediaBytes, MediaReader, MediaFS or MediaURL")
	}
	head, err := upload.Head(ctx, s.file, limit)
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, &callError{op: field, action: readingMedia, err: err}
	case errors.Is(err, upload.ErrNoData):
		return nil, &callError{op: field, action: readingMedia, kind: ErrMediaSource, err: err}
	case err != nil:
		return nil, &ValidationError{Field: field, Reason: "cannot be read: " + err.Error(), err: err}
	}
	if len(head) == 0 {
		return nil, invalid(field, "is empty")
	}
	return head, nil
}

// uploadOf is the JSON of a body with a further field: the prefix and the file
// as base64. The caller closes it.
func uploadOf(file upload.File, body any, field, prefix string) (*upload.Body, error) {
	object, err := encode(body)
	if err != nil {
		return nil, err
	}
	return upload.NewBody(object, field, prefix, file), nil
}

// picture is an image on its way into a request: a URL, or a file that is
// streamed as base64. The zero value is no picture.
type picture struct {
	url  string
	file upload.File
}

// picture checks a source that may be absent; field names it in the error.
func (s MediaSource) picture(ctx context.Context, field string) (picture, error) {
	switch {
	case s == (MediaSource{}):
		return picture{}, nil
	case s.url != "":
		_, err := checkMediaURL(field, s.url)
		return picture{url: s.url}, err
	}
	head, err := s.head(ctx, field, mediaLimit)
	if err != nil {
		return picture{}, err
	}
	if kind := detectMIME(head, s.name); kindOfMIME(kind) != MediaImage && kind != "application/octet-stream" {
		return picture{}, invalid(field, "is "+kind+", not an image")
	}
	return picture{file: s.file}, nil
}
