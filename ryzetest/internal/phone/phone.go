// Package phone holds the page of the simulator: what a browser shows under /_sim/.
// It is plain HTML, CSS and JavaScript, and loads nothing from elsewhere.
package phone

import (
	"embed"
	"io/fs"
)

//go:embed page
var files embed.FS

// Files are those of the page; index.html is the page itself.
func Files() fs.FS {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic("phone: " + err.Error()) // the name is a constant
	}
	return page
}
