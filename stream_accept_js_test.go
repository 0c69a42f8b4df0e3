package ryze

import "github.com/coder/websocket"

// acceptOptions are those of a server that a browser cannot run.
func (p *peer) acceptOptions() *websocket.AcceptOptions {
	return &websocket.AcceptOptions{InsecureSkipVerify: true}
}
