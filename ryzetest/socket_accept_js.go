package ryzetest

import "github.com/coder/websocket"

// acceptOptions are those of a stream. Under js nobody can accept one.
func (s *Server) acceptOptions() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{InsecureSkipVerify: true}
}
