package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the document
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// pagePolicy lets the page load its own files, and nothing from elsewhere.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"media-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// mediaPolicy lets nothing of a media run, should somebody open it by itself.
const mediaPolicy = "sandbox; default-src 'none'"

// pageTypes are those of the page's files: what the machine says of them may differ.
var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon",
	".woff2": "font/woff2", ".ogg": "audio/ogg", ".mp3": "audio/mpeg", ".wav": "audio/wav", ".txt": "text/plain; charset=utf-8",
}

// Document describes the API, in OpenAPI 3.1.
//
//go:embed openapi.yaml
var Document []byte

// ServeDocument answers with Document.
func ServeDocument(w http.ResponseWriter, r *http.Request) {
	serve(w, r, "application/yaml", Document)
}

// Page serves the files of a page, index.html for the empty name.
type Page struct{ Files fs.FS }

// Serve answers with a file.
func (p Page) Serve(w http.ResponseWriter, r *http.Request, name string) {
	if name == "" {
		name = "index.html"
	}
	kind := pageTypes[path.Ext(name)]
	content, err := fs.ReadFile(p.Files, name)
	if err != nil || kind == "" {
		Fail(w, NotFound("there is no file %q", name))
		return
	}
	w.Header().Set("Content-Security-Policy", pagePolicy)
	serve(w, r, kind, content)
}

func serve(w http.ResponseWriter, r *http.Request, kind string, content []byte) {
	sum := sha256.Sum256(content)
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, no-cache") // asked for each time, sent when it differs
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// shown are the types that a browser may show. None of them can run anything.
var shown = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "image/bmp": true,
	"audio/ogg": true, "audio/mpeg": true, "audio/mp3": true, "audio/mp4": true, "audio/aac": true, "audio/amr": true,
	"audio/wav": true, "audio/x-wav": true, "audio/wave": true, "audio/webm": true, "audio/opus": true, "audio/flac": true,
	"audio/x-m4a": true, "audio/3gpp": true, "application/ogg": true,
	"video/mp4": true, "video/webm": true, "video/ogg": true, "video/3gpp": true, "video/quicktime": true, "video/x-matroska": true,
}

// ServeMedia answers with the file of a message, or a range of it. Only pictures,
// sounds and films keep their type; anything else is a download without one.
func ServeMedia(w http.ResponseWriter, r *http.Request, kind, fileName string, content []byte) {
	name := strings.NewReplacer("/", "_", "\\", "_").Replace(fileName)
	disposition := "inline"
	if t, _, err := mime.ParseMediaType(kind); err != nil || !shown[t] {
		kind, disposition = "application/octet-stream", "attachment"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", mediaPolicy)
	if name != "" {
		disposition = mime.FormatMediaType(disposition, map[string]string{"filename": name})
	}
	h.Set("Content-Disposition", disposition)
	serve(w, r, kind, content)
}
