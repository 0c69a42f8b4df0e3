package ryze

// picture is an image on its way into a request: a URL, or a file that is
// streamed as base64. The zero value is no picture.
type picture struct {
	url  string
	file sourceFile
}

// picture checks a source that may be absent; field names it in the error.
func (s MediaSource) picture(field string) (picture, error) {
	switch {
	case s == (MediaSource{}):
		return picture{}, nil
	case s.url != "":
		_, err := checkMediaURL(field, s.url)
		return picture{url: s.url}, err
	}
	head, err := s.head(field)
	if err != nil {
		return picture{}, err
	}
	if kind := detectMIME(head, s.name); kindOfMIME(kind) != MediaImage && kind != "application/octet-stream" {
		return picture{}, invalid(field, "is "+kind+", not an image")
	}
	return picture{file: s.file}, nil
}

// into returns the request of a body, with the file in it under that key. A
// URL is the body's own field. The caller closes what it returns.
func (p picture) into(body any, key string) (input, error) {
	if p.file == nil {
		return input{body: body}, nil
	}
	stream, err := newBodyStream(p.file, body, key)
	if err != nil {
		return input{}, err
	}
	return input{stream: stream}, nil
}
