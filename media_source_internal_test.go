package ryze

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMIMETypeComesFromContentThenName(t *testing.T) {
	const (
		docx   = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
		zip    = "PK\x03\x04"
		m4a    = "\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00M4A mp42isom"
		m4b    = "\x00\x00\x00\x1cftypM4B \x00\x00\x00\x00M4B mp42isom"
		mp42   = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
		isom   = "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
		iso5   = "\x00\x00\x00\x18ftypiso5\x00\x00\x02\x00iso5dash"
		qt     = "\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "
		gpp    = "\x00\x00\x00\x18ftyp3gp5\x00\x00\x00\x003gp53gp4"
		heic   = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
		avif   = "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf"
		hevc   = "\x00\x00\x00\x18ftyphevc\x00\x00\x00\x00mif1hevc"
		mif1   = "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif"
		opus   = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01"
		vorbis = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1e\x01vorbis\x00"
		theora = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x2a\x80theora\x03"
		webm   = "\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm\x42\x87\x81\x04"
		mkv    = "\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska\x42\x87\x81\x04"
		asf    = "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
		odt    = "PK\x03\x04\x14\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x27\x00\x00\x00\x27\x00\x00\x00\x08\x00\x00\x00mimetypeapplication/vnd.oasis.opendocument.textPK"
	)
	for _, c := range []struct {
		name string
		head string
		want string
		kind MediaKind
	}{
		{"photo.jpg", string(pngHead), "image/png", MediaImage},
		{"", "%PDF-1.7", "application/pdf", MediaDocument},
		{"data.csv", "a,b,c", "text/csv; charset=utf-8", MediaDocument},
		{"song.mp3", "ID3\x03", "audio/mpeg", MediaAudio},
		{"song.aac", "ID3\x03", "audio/aac", MediaAudio},
		{"mystery", "\x00\x01\x02", "application/octet-stream", MediaDocument},

		{"report.docx", zip, docx, MediaDocument},
		{"REPORT.DOCX", zip, docx, MediaDocument},
		{"x.zip", zip, "application/zip", MediaDocument},
		{"x", zip, "application/zip", MediaDocument},
		{"photo.jpg", zip, "application/zip", MediaDocument},
		{"book.epub", zip, "application/epub+zip", MediaDocument},
		{"app.apk", zip, "application/vnd.android.package-archive", MediaDocument},
		{"letter", odt, "application/vnd.oasis.opendocument.text", MediaDocument},

		{"memo.m4a", m4a, "audio/mp4", MediaAudio},
		{"memo.m4a", mp42, "audio/mp4", MediaAudio},
		{"memo.M4A", isom, "audio/mp4", MediaAudio},
		{"memo.m4a", iso5, "audio/mp4", MediaAudio},
		{"memo.m4a", qt, "audio/mp4", MediaAudio},
		{"memo.m4a", gpp, "audio/mp4", MediaAudio},
		{"book.m4b", m4b, "audio/mp4", MediaAudio},
		{"book.m4b", mp42, "audio/mp4", MediaAudio},
		{"memo", m4a, "audio/mp4", MediaAudio},
		{"memo", m4b, "audio/mp4", MediaAudio},
		{"memo.bin", m4a, "audio/mp4", MediaAudio},
		{"voice.mp3", mp42, "audio/mp4", MediaAudio},
		{"voice.ogg", mp42, "audio/mp4", MediaAudio},
		{"clip.mp4", m4a, "video/mp4", MediaVideo},
		{"clip.mp4", mp42, "video/mp4", MediaVideo},
		{"clip.mp4", isom, "video/mp4", MediaVideo},
		{"clip.m4v", m4a, "video/mp4", MediaVideo},
		{"clip", mp42, "video/mp4", MediaVideo},
		{"clip", iso5, "video/mp4", MediaVideo},
		{"clip", isom, "video/mp4", MediaVideo},
		{"clip.mov", qt, "video/quicktime", MediaVideo},
		{"clip", qt, "video/quicktime", MediaVideo},
		{"clip.mov", mp42, "video/quicktime", MediaVideo},
		{"clip.3gp", gpp, "video/3gpp", MediaVideo},
		{"clip", gpp, "video/3gpp", MediaVideo},
		{"voice.3ga", gpp, "audio/3gpp", MediaAudio},
		{"voice.amr", gpp, "audio/3gpp", MediaAudio},
		{"clip.jpg", mp42, "video/mp4", MediaVideo},
		{"photo.heic", heic, "image/heic", MediaImage},
		{"photo.jpg", heic, "image/heic", MediaImage},
		{"photo", avif, "image/avif", MediaImage},
		{"photo.heic", hevc, "image/heic", MediaImage},
		{"photo", hevc, "image/heic", MediaImage},
		{"photo", mif1, "image/avif", MediaImage},
		{"photo.avif", mif1[:16], "image/avif", MediaImage},
		{"photo.heic", mif1[:16], "image/heic", MediaImage},
		{"photo", mif1[:16], "image/heif", MediaImage},

		{"speech", "\xff\xf3\x90\x64\x00\x0f", "audio/mpeg", MediaAudio}, // without a tag
		{"", "\xff\xfb\x90\x64\x00\x0f", "audio/mpeg", MediaAudio},
		{"", "\xff\xf1\x50\x80\x2e\x7f\x00", "audio/aac", MediaAudio},
		{"", "fLaC\x00\x00\x00\x22", "audio/flac", MediaAudio},
		{"voice", "#!AMR\n\x3c\x91", "audio/amr", MediaAudio},
		{"scan", "II*\x00\x08\x00\x00\x00", "image/tiff", MediaImage},
		{"film", "\x00\x00\x01\xba\x44\x00", "video/mpeg", MediaVideo},
		{"notes.txt", "\xff\xfea\x00b\x00", "text/plain; charset=utf-8", MediaDocument},

		{"note.ogg", "OggS\x00", "audio/ogg; codecs=opus", MediaAudio},
		{"", "OggS\x00", "audio/ogg", MediaAudio},
		{"", opus, "audio/ogg; codecs=opus", MediaAudio},
		{"note.opus", opus, "audio/ogg; codecs=opus", MediaAudio},
		{"note.oga", opus, "audio/ogg; codecs=opus", MediaAudio},
		{"song.ogg", vorbis, "audio/ogg", MediaAudio},
		{"film.ogg", theora, "video/ogg", MediaVideo},
		{"film", theora, "video/ogg", MediaVideo},
		{"film.ogv", theora, "video/ogg", MediaVideo},
		{"film.ogv", "OggS\x00", "video/ogg", MediaVideo},

		{"voice.weba", webm, "audio/webm", MediaAudio},
		{"voice.webm", webm + "A_OPUS", "audio/webm", MediaAudio},
		{"voice", webm + "A_OPUS", "audio/webm", MediaAudio},
		{"film.webm", webm + "A_OPUS V_VP9", "video/webm", MediaVideo},
		{"film.webm", webm, "video/webm", MediaVideo},
		{"film.mkv", mkv, "video/x-matroska", MediaVideo},
		{"film", mkv, "video/x-matroska", MediaVideo},
		{"song.mka", mkv, "audio/x-matroska", MediaAudio},
		{"song.wma", asf, "audio/x-ms-wma", MediaAudio},
		{"film.wmv", asf, "video/x-ms-wmv", MediaVideo},
	} {
		got := detectMIME([]byte(c.head), c.name)
		assert.Equal(t, c.want, got, "%s %q", c.name, c.head)
		assert.Equal(t, c.kind, kindOfMIME(got), c.name)
		assert.Equal(t, c.kind, kindOfMIME(asKind(got, c.kind)))
	}
	assert.Equal(t, "audio/mp4", asKind("video/mp4", MediaAudio), "the caller knows best")
	assert.Equal(t, "video/mp4", asKind("audio/mp4", MediaVideo))
	assert.Equal(t, "image/png", asKind("image/png", MediaDocument))
}

// Types are compared without regard to case (RFC 2045, 5.1).
func TestKindFollowsTheMIMETypeInAnySpelling(t *testing.T) {
	for mime, want := range map[string]MediaKind{
		"image/png": MediaImage, "IMAGE/PNG": MediaImage, "Video/Mp4": MediaVideo, " audio/ogg; codecs=opus": MediaAudio,
		"application/ogg": MediaDocument, "Application/PDF": MediaDocument, "font/woff": MediaDocument,
	} {
		inst, s := script(t, scriptedReply{body: sent})
		_, err := inst.Messages.Send(t.Context(), ana, Media{Source: MediaBytes("a.bin", []byte("whatever")), MIME: mime})
		require.NoError(t, err, mime)
		var body struct{ MediaType MediaKind }
		require.NoError(t, json.Unmarshal([]byte(s.requests()[0].Body), &body))
		assert.Equal(t, want, body.MediaType, mime)
	}
}

// Where a file lies on the machine that sends it stays there.
func TestOnlyTheBaseNameOfASourceIsSent(t *testing.T) {
	dir := t.TempDir()
	onDisk := filepath.Join(dir, "photo.png")
	require.NoError(t, os.WriteFile(onDisk, pngHead, 0o600))
	open := func() *os.File {
		f, err := os.Open(onDisk)
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	f := open()
	sentName := func(source MediaSource) string {
		inst, s := script(t, scriptedReply{body: sent})
		_, err := inst.Messages.Send(t.Context(), ana, Media{Source: source})
		require.NoError(t, err)
		var body struct{ FileName, MediaURL string }
		require.NoError(t, json.Unmarshal([]byte(s.requests()[0].Body), &body))
		assert.NotContains(t, s.requests()[0].Body, filepath.Base(dir))
		return body.FileName
	}
	for name, source := range map[string]MediaSource{
		"path":   MediaFile(onDisk),
		"reader": MediaReader(f.Name(), bytes.NewReader(pngHead)),
		"file":   MediaReader(f.Name(), f),
		"fs":     MediaFS(namedFile{open(), onDisk}),
		"bytes":  MediaBytes(onDisk, pngHead),
	} {
		assert.Equal(t, "photo.png", sentName(source), name)
	}
	for in, want := range map[string]string{
		`C:\Users\ana\photo.png`: "photo.png", `\\server\share\photo.png`: "photo.png", "C:photo.png": "photo.png", `a/b\c.png`: "c.png",
		"https://cdn.example.com/photo.png?X-Signature=s3cret": "photo.png", "a.png?b": "a.png?b", "#1.png": "#1.png",
		"Bild 10.00.00\u202fAM.png": "Bild 10.00.00\u202fAM.png", "\u0635\u0648\u0631\u0629\u200f.png": "\u0635\u0648\u0631\u0629\u200f.png",
		"../../photo.png": "photo.png", "photos/": "photos", "/": "", "..": "", ".": "", "": "", "C:": "", "a b.png": "a b.png", "ação.png": "ação.png", ".htaccess": ".htaccess",
	} {
		assert.Equal(t, want, sentName(MediaBytes(in, pngHead)), in)
		assert.Equal(t, want, sentName(MediaReader(in, bytes.NewReader(pngHead))), in)
	}
	for _, bad := range []string{"a\x00.png", "a\r\nb.png", "a\x1b[2J.png", "a\u202egnp.exe", "a\u2066b.png", "a\u2028b.png", "caf\xe9.png"} {
		for _, source := range []MediaSource{MediaBytes("dir/"+bad, pngHead), MediaReader(bad, bytes.NewReader(pngHead))} {
			_, err := silent(t).Messages.Send(t.Context(), ana, Media{Source: source})
			requireInvalid(t, err, "Media.FileName")
			inst, _ := script(t, scriptedReply{body: sent})
			_, err = inst.Messages.Send(t.Context(), ana, Media{Source: source, FileName: "good.png"})
			require.NoError(t, err, "the name given counts")
		}
		_, err := silent(t).Messages.Send(t.Context(), ana, Media{Source: MediaBytes("a.png", pngHead), FileName: bad})
		requireInvalid(t, err, "Media.FileName")
	}
}

// namedFile is a file of a file system whose names are paths.
type namedFile struct {
	fs.File
	name string
}

func (f namedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return namedInfo{info, f.name}, err
}

type namedInfo struct {
	fs.FileInfo
	name string
}

func (i namedInfo) Name() string { return i.name }
