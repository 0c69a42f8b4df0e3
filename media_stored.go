package ryze

import (
	"fmt"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

// maxStoredMedia is how many bytes of a [MediaBytes] [MarshalContent] takes: 4 MiB.
// Keep larger files on disk or on a server, and send them by [MediaFile] or [MediaURL].
const maxStoredMedia = 4 << 20

// storedSource is the stored form of a source: one of URL, Path and Bytes.
type storedSource struct {
	URL   string  `json:"url,omitzero"`
	Path  string  `json:"path,omitzero"`
	Name  string  `json:"name,omitzero"` // of Bytes
	Bytes *[]byte `json:"bytes,omitzero"`
}

// stored returns the form of a source, nil when there is none; field names it.
func (s MediaSource) stored(field string) (*storedSource, error) {
	switch file := s.file.(type) {
	case nil:
		if s.url == "" {
			return nil, nil //nolint:nilnil // no source is stored as none
		}
		return &storedSource{URL: s.url}, checkUTF8(field, s.url)
	case upload.Path:
		if file == "" {
			return nil, invalid(field, "has an empty path")
		}
		return &storedSource{Path: string(file)}, checkUTF8(field, string(file))
	case upload.Bytes:
		if len(file) > maxStoredMedia {
			return nil, invalid(field, fmt.Sprintf("has %d bytes, and at most %d can be stored; use MediaFile or MediaURL", len(file), maxStoredMedia))
		}
		b := append([]byte{}, file...) // not nil, which would be null
		return &storedSource{Name: s.name, Bytes: &b}, checkUTF8(field, s.name)
	default:
		return nil, invalid(field, "is a MediaReader or a MediaFS, which cannot be read again later; use MediaFile, MediaURL or MediaBytes")
	}
}

// source reads a stored source; field names it.
func (s *storedSource) source(field string) (MediaSource, error) {
	if s == nil {
		return MediaSource{}, nil
	}
	ways := 0
	for _, given := range []bool{s.URL != "", s.Path != "", s.Bytes != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 || s.Name != "" && s.Bytes == nil {
		return MediaSource{}, invalid(field, "is not one of a URL, a path, and bytes with or without a name")
	}
	var source MediaSource
	switch {
	case s.URL != "":
		source = MediaURL(s.URL)
	case s.Path != "":
		source = MediaFile(s.Path)
	default:
		source = MediaSource{name: s.Name, file: upload.Bytes(*s.Bytes)}
	}
	_, err := source.stored(field) // a NUL, or more bytes than are written
	return source, err
}
