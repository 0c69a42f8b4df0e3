package ryze

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"mime"
	"net/http"
	"path"
	"strings"
)

// detectMIME tells the type of a file by its content. Some formats are boxes
// that hold several kinds: MP4, Ogg and Matroska hold sound as well as films,
// ZIP holds documents. Where the content only says which box it is, the name
// decides what is in it, as far as it says so.
func detectMIME(head []byte, name string) string {
	byName := typeByName(name)
	if picture := pictureBrand(head); picture != "" {
		// The brand of HEIF is that of pictures of several codecs.
		if picture == "image/heif" && (byName == "image/heic" || byName == "image/avif") || picture == "image/heic" && byName == "image/heif" {
			return byName
		}
		return picture
	}
	if box := boxOf(head); box != nil {
		return box.mime(head, strings.ToLower(path.Ext(name)), byName)
	}
	byContent := http.DetectContentType(head)
	plain, _, _ := mime.ParseMediaType(byContent)
	switch plain {
	case "application/octet-stream", "text/plain", "text/xml": // which say little
		if byName != "" {
			return byName
		}
		if bySignature := typeBySignature(head); bySignature != "" {
			return bySignature
		}
	case "audio/mpeg": // an ID3 tag, which other sounds may have too
		if bytes.HasPrefix(head, []byte("ID3")) && kindOfMIME(byName) == MediaAudio {
			return byName
		}
	}
	return byContent
}

// typeBySignature knows files of chats that [http.DetectContentType] does not, for
// those without a name that helps.
func typeBySignature(head []byte) string {
	for _, s := range [...]struct{ signature, mime string }{
		{"#!AMR", "audio/amr"}, {"fLaC", "audio/flac"},
		{"\xff\xfb", "audio/mpeg"}, {"\xff\xfa", "audio/mpeg"}, {"\xff\xf3", "audio/mpeg"}, {"\xff\xf2", "audio/mpeg"},
		{"\xff\xf1", "audio/aac"}, {"\xff\xf9", "audio/aac"},
		{"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"}, {"\x00\x00\x01\xba", "video/mpeg"}, {"FLV\x01", "video/x-flv"},
	} {
		if bytes.HasPrefix(head, []byte(s.signature)) {
			return s.mime
		}
	}
	return ""
}

// box is a file format that holds several kinds of files.
type box struct {
	audio, video string // its types; "" when it holds none
	kind         func(head []byte) MediaKind
}

var (
	mp4Box  = &box{"audio/mp4", "video/mp4", mp4Kind}
	gppBox  = &box{"audio/3gpp", "video/3gpp", mp4Kind}
	qtBox   = &box{"audio/mp4", "video/quicktime", mp4Kind}
	oggBox  = &box{"audio/ogg", "video/ogg", oggKind}
	webmBox = &box{"audio/webm", "video/webm", matroskaKind}
	mkvBox  = &box{"audio/x-matroska", "video/x-matroska", matroskaKind}
	asfBox  = &box{"audio/x-ms-wma", "video/x-ms-wmv", nil}
	zipBox  = &box{}
)

// boxOf returns the box that a file is packed in, nil when it is in none.
func boxOf(head []byte) *box {
	switch {
	case hasBrand(head):
		switch brand := string(head[8:12]); {
		case strings.HasPrefix(brand, "3g"):
			return gppBox
		case brand == "qt  ":
			return qtBox
		default:
			return mp4Box
		}
	case bytes.HasPrefix(head, []byte("OggS")):
		return oggBox
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		if bytes.Contains(head[:min(len(head), 64)], []byte("matroska")) {
			return mkvBox
		}
		return webmBox
	case bytes.HasPrefix(head, []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11")):
		return asfBox
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipBox
	}
	return nil
}

func hasBrand(head []byte) bool { return len(head) >= 12 && string(head[4:8]) == "ftyp" }

// pictureBrand is the type of a picture in the box of MP4, "" for anything else.
func pictureBrand(head []byte) string {
	if !hasBrand(head) {
		return ""
	}
	picture := pictureBrands[string(head[8:12])]
	if end := min(len(head), int(binary.BigEndian.Uint32(head))&0xffff); picture == "image/heif" && end > 16 {
		for i := 16; i+4 <= end; i += 4 { // the brands that it is compatible with
			if other := pictureBrands[string(head[i:i+4])]; other != "" && other != picture {
				return other
			}
		}
	}
	return picture
}

var pictureBrands = map[string]string{
	"heic": "image/heic", "heix": "image/heic", "heim": "image/heic", "heis": "image/heic",
	"hevc": "image/heic", "hevx": "image/heic", "hevm": "image/heic", "hevs": "image/heic",
	"mif1": "image/heif", "msf1": "image/heif", "miaf": "image/heif", "avif": "image/avif", "avis": "image/avif", "crx ": "image/x-canon-cr3",
}

// mime is the type of a file in the box, whose name has that extension.
func (b *box) mime(head []byte, ext, byName string) string {
	if b == zipBox {
		if inside := zipType(head); inside != "" {
			return inside
		}
		if byName != "" && kindOfMIME(byName) == MediaDocument {
			return byName
		}
		return "application/zip"
	}
	kind := kindOfMIME(byName)
	if byName == "" || kind != MediaAudio && kind != MediaVideo || b == oggBox && ext == ".ogg" || b == webmBox && ext == ".webm" {
		// The name does not say what is inside; perhaps the content does.
		if b.kind != nil {
			if inside := b.kind(head); inside != "" {
				kind = inside
			}
		}
	}
	if b == oggBox && kind != MediaVideo {
		return oggAudio(head, byName)
	}
	plain, _, _ := mime.ParseMediaType(byName)
	if kind == kindOfMIME(plain) && b.holds(plain) {
		return byName
	}
	if kind == MediaAudio {
		return b.audio
	}
	return b.video
}

// holds reports whether a type is one of those in the box, or another name of
// one: an .m4v is an MP4, a .mov may have the brand of one.
func (b *box) holds(plain string) bool {
	switch b {
	case mp4Box, gppBox, qtBox:
		switch plain {
		case "audio/mp4", "video/mp4", "audio/3gpp", "video/3gpp", "video/quicktime", "video/x-m4v":
			return true
		}
		return false
	}
	return plain == b.audio || plain == b.video
}

// mp4Kind is what the main brand says: M4A, M4B and M4P are sound, any other
// may be both.
func mp4Kind(head []byte) MediaKind {
	switch string(head[8:11]) {
	case "M4A", "M4B", "M4P", "F4A", "F4B":
		return MediaAudio
	}
	return MediaVideo
}

// oggKind looks at the first stream, which begins the file.
func oggKind(head []byte) MediaKind {
	if bytes.Contains(head, []byte("\x80theora")) {
		return MediaVideo
	}
	return MediaAudio
}

// oggAudio names the codec when it is Opus, the one of voice notes.
func oggAudio(head []byte, byName string) string {
	const opus = "audio/ogg; codecs=opus"
	switch {
	case bytes.Contains(head, []byte("OpusHead")):
		return opus
	case bytes.Contains(head, []byte("\x01vorbis")), byName != opus:
		return "audio/ogg"
	}
	return byName
}

// matroskaKind looks for codecs: what a browser records has them at its
// beginning.
func matroskaKind(head []byte) MediaKind {
	switch {
	case bytes.Contains(head, []byte("V_VP")), bytes.Contains(head, []byte("V_AV1")), bytes.Contains(head, []byte("V_MPEG")), bytes.Contains(head, []byte("V_MS")):
		return MediaVideo
	case bytes.Contains(head, []byte("A_OPUS")), bytes.Contains(head, []byte("A_VORBIS")), bytes.Contains(head, []byte("A_AAC")):
		return MediaAudio
	}
	return MediaVideo
}

// zipType is the type of a ZIP whose first entry states it, as those of
// OpenDocument and EPUB do.
func zipType(head []byte) string {
	const name = 30 // where the first entry's name begins
	if len(head) < name || !bytes.HasPrefix(head[name:], []byte("mimetypeapplication/")) {
		return ""
	}
	inside := string(head[name+len("mimetype"):])
	end := strings.IndexFunc(inside, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789/.+-", r) })
	if end < 0 {
		return ""
	}
	return inside[:end]
}

// asKind turns the type of a file in a box into that of the kind that the
// caller says it is.
func asKind(detected string, kind MediaKind) string {
	plain, _, _ := mime.ParseMediaType(detected)
	for _, b := range []*box{mp4Box, qtBox, gppBox, oggBox, webmBox, mkvBox, asfBox} {
		switch {
		case kind == MediaAudio && plain == b.video:
			return b.audio
		case kind == MediaVideo && plain == b.audio:
			return b.video
		}
	}
	return detected
}

// typeByName knows the types that chats carry, and asks the system for others.
func typeByName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := typesByExtension[ext]; ok {
		return t
	}
	return mime.TypeByExtension(ext)
}

var typesByExtension = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif", ".heics": "image/heic", ".avif": "image/avif",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".3gp": "video/3gpp", ".3g2": "video/3gpp", ".webm": "video/webm", ".mkv": "video/x-matroska",
	".ogv": "video/ogg", ".avi": "video/x-msvideo", ".wmv": "video/x-ms-wmv", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
	".ogg": "audio/ogg; codecs=opus", ".opus": "audio/ogg; codecs=opus", ".oga": "audio/ogg", ".spx": "audio/ogg",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".m4b": "audio/mp4", ".m4r": "audio/mp4", ".aac": "audio/aac", ".amr": "audio/amr", ".wav": "audio/wav",
	".3ga": "audio/3gpp", ".weba": "audio/webm", ".mka": "audio/x-matroska", ".wma": "audio/x-ms-wma", ".flac": "audio/flac",
	".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".vcf": "text/vcard; charset=utf-8", ".ics": "text/calendar; charset=utf-8",
	".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text",
	".ods":  "application/vnd.oasis.opendocument.spreadsheet",
	".odp":  "application/vnd.oasis.opendocument.presentation",
	".epub": "application/epub+zip",
	".apk":  "application/vnd.android.package-archive",
	".zip":  "application/zip",
}

// MediaKind is the kind of a media file.
type MediaKind string

// Kinds of media. The set is open.
const (
	MediaImage    MediaKind = "image"
	MediaVideo    MediaKind = "video"
	MediaAudio    MediaKind = "audio"
	MediaDocument MediaKind = "document"
	MediaSticker  MediaKind = "sticker"
)

// kindByName tells the kind by the ending of a file's name, "" when it has none.
func kindByName(name string) MediaKind {
	if ext := path.Ext(name); len(ext) < 2 {
		return ""
	}
	return kindOfMIME(typeByName(name))
}

// kindByMIME tells the kind by the MIME type, "" when that says nothing.
func kindByMIME(mime string) MediaKind {
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	family, sub, _ := strings.Cut(mime, "/")
	switch family {
	case "image", "video", "audio":
		return MediaKind(family)
	case "application", "text":
		// Audio is often application/ogg, so that says nothing either.
		if sub != "" && sub != "octet-stream" && sub != "ogg" {
			return MediaDocument
		}
	}
	return ""
}

// kindOfMIME is the kind of a file of that MIME type: a document, unless the type
// says another.
func kindOfMIME(mime string) MediaKind { return cmp.Or(kindByMIME(mime), MediaDocument) }

// mediaWord is what a word of the service says of media.
type mediaWord struct {
	kind  MediaKind
	vague bool // it is no more than a file, or not even that
	voice bool // recorded in the chat
	video bool // a round video recorded in the chat
}

// wordFor reads the service's word for a kind, in any spelling: "ptt",
// "voice_note", "imageMessage". A word that is not known has no kind.
func wordFor(word string) mediaWord {
	if word == "" {
		return mediaWord{vague: true}
	}
	var key foldedKey
	folded, _ := bytes.CutSuffix(key.fold([]byte(word)), []byte("message"))
	return mediaWords[string(folded)]
}

var mediaWords = map[string]mediaWord{
	"image":     {kind: MediaImage},
	"picture":   {kind: MediaImage},
	"photo":     {kind: MediaImage},
	"video":     {kind: MediaVideo},
	"ptv":       {kind: MediaVideo, video: true},
	"videonote": {kind: MediaVideo, video: true},
	"audio":     {kind: MediaAudio},
	"ptt":       {kind: MediaAudio, voice: true},
	"voice":     {kind: MediaAudio, voice: true},
	"voicenote": {kind: MediaAudio, voice: true},
	"document":  {kind: MediaDocument},
	"file":      {kind: MediaDocument, vague: true},
	"sticker":   {kind: MediaSticker},
	"media":     {vague: true},
	"text":      {vague: true},
}

func isMediaKind(k MediaKind) bool {
	switch k {
	case MediaImage, MediaVideo, MediaAudio, MediaDocument, MediaSticker:
		return true
	default:
		return false
	}
}
