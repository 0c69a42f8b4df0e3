package upload

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sources are files with that content, one of every kind that can be read again
// and one of every kind that cannot.
func sources(t *testing.T, content []byte) map[string]File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "photo.png")
	require.NoError(t, os.WriteFile(name, content, 0o600))
	file, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	fsys := fstest.MapFS{"photo.png": {Data: content}}
	inFS, err := fsys.Open("photo.png")
	require.NoError(t, err)
	seekable, _ := Opened(inFS)
	inFS, err = fsys.Open("photo.png")
	require.NoError(t, err)
	plain, _ := Opened(struct{ fs.File }{inFS}) // nobody sees its Seek
	offset := bytes.NewReader(append([]byte("skipped"), content...))
	_, err = offset.Seek(7, io.SeekStart)
	require.NoError(t, err)
	return map[string]File{
		"path": Path(name), "bytes": Bytes(content), "file": Reader(file), "fs": seekable, "seeker": Reader(offset),
		"once: fs":            plain,
		"once: reader":        Reader(io.MultiReader(bytes.NewReader(content))),
		"once: slow":          Reader(iotest.OneByteReader(bytes.NewReader(content))),
		"once: half":          Reader(iotest.HalfReader(bytes.NewReader(content))),
		"once: data with EOF": Reader(iotest.DataErrReader(io.MultiReader(bytes.NewReader(content)))),
	}
}

func TestBodyIsTheObjectWithTheWholeFileInIt(t *testing.T) {
	for _, size := range []int{1, 2, 3, HeadSize, chunk - 1, chunk, chunk + 1, 5*chunk + 2} {
		content := bytes.Repeat([]byte{0xa5, 0x5a, 0x00}, size/3+1)[:size]
		encoded := base64.StdEncoding.EncodeToString(content)
		for name, file := range sources(t, content) {
			head, err := file.Head(t.Context())
			require.NoError(t, err, name)
			assert.Equal(t, content[:min(size, HeadSize)], head, name)
			for object, want := range map[string]string{
				`{}`:      `{"image":"data:` + encoded + `"}`,
				`{"a":1}`: `{"a":1,"image":"data:` + encoded + `"}`,
			} {
				once := strings.HasPrefix(name, "once:")
				if once && object == `{}` {
					continue // it can be had only once
				}
				body := NewBody([]byte(object), "image", "data:", file)
				if length := body.Size(); length >= 0 || !once {
					assert.EqualValues(t, len(want), length, name)
				}
				for range 2 {
					require.True(t, body.Repeatable(), name)
					r, err := body.Open()
					require.NoError(t, err)
					got, err := io.ReadAll(iotest.HalfReader(r))
					require.NoError(t, err, "%s of %d bytes", name, size)
					require.True(t, want == string(got), "%s of %d bytes", name, size) //nolint:testifylint // a diff of megabytes helps nobody
					require.NoError(t, body.Err())
					body.Close()
					if once {
						break
					}
				}
				if once {
					require.False(t, body.Repeatable(), name)
					r, err := body.Open()
					require.NoError(t, err)
					_, err = io.ReadAll(r)
					require.ErrorIs(t, err, ErrReadOnce, name)
					require.ErrorIs(t, body.Err(), ErrReadOnce, name)
				}
			}
		}
	}
}

func TestBodyOfAFileThatChangesItsSizeFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.bin")
	require.NoError(t, os.WriteFile(name, make([]byte, 4*chunk), 0o600))
	for _, size := range []int64{chunk, 6 * chunk} { // cut off, or still being written
		require.NoError(t, os.Truncate(name, 4*chunk))
		body := NewBody([]byte(`{"a":1}`), "file", "", Path(name))
		require.NoError(t, os.Truncate(name, size))
		r, err := body.Open()
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, ErrFileChanged)
		require.ErrorIs(t, body.Err(), ErrFileChanged)
		body.Close()
	}
}

func TestFileIsOpenOnlyWhileItIsSent(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.bin")
	require.NoError(t, os.WriteFile(name, make([]byte, 100), 0o600))
	body := NewBody([]byte(`{}`), "file", "", Path(name))
	body.before = nil
	r, err := body.Open()
	require.NoError(t, err)
	assert.Nil(t, body.reading.file, "open before the first read")
	_, err = r.Read(make([]byte, 10))
	require.NoError(t, err)
	file := body.reading.file.(*os.File)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close(), "twice")
	_, err = file.Stat()
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = r.Read(make([]byte, 10))
	require.Error(t, err)
}

func TestHeadTellsWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Path(dir).Head(t.Context())
	require.ErrorContains(t, err, "directory")
	_, err = Path(filepath.Join(dir, "missing")).Head(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	open, err := os.Open(dir)
	require.NoError(t, err)
	defer func() { _ = open.Close() }()
	file, _ := Opened(open)
	_, err = file.Head(t.Context())
	require.ErrorContains(t, err, "directory")
	broken := errors.New("broken")
	_, err = Reader(iotest.ErrReader(broken)).Head(t.Context())
	require.ErrorIs(t, err, broken)
}
