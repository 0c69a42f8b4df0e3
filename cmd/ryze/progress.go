package main

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how far a file has come. Its methods work on nil,
// which shows nothing.
type bar struct {
	mu   sync.Mutex
	line *progressbar.ProgressBar
}

// bar begins to show how far a file of so many bytes has come; -1 when nobody
// knows how many. It shows nothing of what is over at once.
func (a *app) bar(size int64, what string) *bar {
	const small = 256 << 10
	if !a.env.terminal.err || size >= 0 && size < small {
		return nil
	}
	return &bar{line: progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(a.rawErr),
		progressbar.OptionSetDescription(line(what)),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
	)}
}

func (b *bar) add(n int) {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.line.Add(n) // it only paints
	}
}

func (b *bar) set(n int64) {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.line.Set64(n) // it only paints
	}
}

// end takes the line away.
func (b *bar) end() {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.line.Clear() // it only paints
		_ = b.line.Exit()
	}
}
