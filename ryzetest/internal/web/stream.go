package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// patience is how long a reader of a stream may take to read what it was sent.
const patience = 30 * time.Second

// Stream sends server-sent events to one reader.
type Stream struct {
	w    http.ResponseWriter
	ctrl *http.ResponseController
}

// OpenStream begins the reply. After an error of it or of a method the reader is gone.
func OpenStream(w http.ResponseWriter) (*Stream, error) {
	s := &Stream{w, http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	return s, s.write("retry: 1000\n\n")
}

// Send sends an event. Neither name nor data hold a line break.
func (s *Stream) Send(id int64, name string, data []byte) error {
	return s.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", id, name, data))
}

// Comment sends what a reader does not see: it keeps the connection, and finds out
// whether there still is one.
func (s *Stream) Comment(text string) error {
	return s.write(": " + strings.ReplaceAll(text, "\n", " ") + "\n\n")
}

func (s *Stream) write(text string) error {
	if err := s.ctrl.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.ctrl.Flush()
}
