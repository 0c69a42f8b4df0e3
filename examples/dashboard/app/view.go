//go:build js

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"syscall/js"
	"unicode"
	"unicode/utf8"

	ryze "github.com/ryzeapi/ryze-go"
)

// view draws the board, at most once a frame, however many events come.
type view struct {
	board   js.Value
	drawing atomic.Bool
	closed  atomic.Bool // what is still to be drawn is not
	left    js.Func
	leave   js.Value
}

func newView(leave func()) *view {
	document := js.Global().Get("document")
	v := &view{board: document.Call("getElementById", "board"), leave: document.Call("getElementById", "leave")}
	v.left = js.FuncOf(func(js.Value, []js.Value) any { leave(); return nil })
	v.leave.Call("addEventListener", "click", v.left)
	document.Call("getElementById", "problem").Set("textContent", "")
	v.board.Set("hidden", false)
	return v
}

func (v *view) close() {
	v.closed.Store(true)
	v.leave.Call("removeEventListener", "click", v.left)
	v.left.Release()
	for _, id := range []string{"instances", "chats", "notice", "counts"} {
		set(id)
	}
}

func (v *view) draw(b *board) {
	if !v.drawing.CompareAndSwap(false, true) {
		return
	}
	var frame js.Func
	frame = js.FuncOf(func(js.Value, []js.Value) any {
		frame.Release()
		v.drawing.Store(false)
		if v.closed.Load() {
			return nil
		}
		b.mu.Lock() // held for moments only
		defer b.mu.Unlock()
		b.show()
		return nil
	})
	js.Global().Call("setTimeout", frame, 30)
}

// element makes an element. What people write gets in as text, and never as HTML.
func element(name, class string, children ...any) js.Value {
	e := js.Global().Get("document").Call("createElement", name)
	if class != "" {
		e.Set("className", class)
	}
	for _, child := range children {
		e.Call("append", child)
	}
	return e
}

func set(id string, children ...any) {
	js.Global().Get("document").Call("getElementById", id).Call("replaceChildren", children...)
}

func (b *board) show() {
	connected, instances := 0, []any{}
	for _, name := range slices.Sorted(maps.Keys(b.instances)) {
		in := b.instances[name]
		state, number := "off", in.number
		if in.state == ryze.InstanceConnected {
			state = "on"
			connected++
		}
		if number == "" {
			number = "no number yet"
		} else {
			number = "+" + number
		}
		stream := element("span", "stream", in.stream)
		if in.stream == "live" {
			stream.Set("className", "stream live")
		}
		instances = append(instances, element("li", "instance "+state,
			element("span", "dot"), element("div", "who", element("b", "", name), element("small", "", number)),
			element("div", "how", element("span", "", strings.ReplaceAll(string(in.state), "_", " ")), stream)))
	}
	set("instances", instances...)
	set("counts", fmt.Sprintf("%d of %d connected", connected, len(b.instances)))
	set("notice", b.notice)

	var chats []any
	for _, c := range slices.SortedFunc(maps.Values(b.chats), func(x, y *chat) int { return y.at.Compare(x.at) }) {
		lines := element("ol", "lines")
		for _, l := range c.lines {
			class, mark := "line", ""
			if l.own {
				class, mark = "line own", marks[l.status]
			}
			foot := element("small", "", l.at.Local().Format("15:04"))
			if mark != "" {
				sign := element("span", "mark "+string(l.status), mark)
				sign.Call("setAttribute", "aria-label", string(l.status))
				sign.Call("setAttribute", "role", "img")
				foot.Call("append", " ", sign)
			}
			lines.Call("append", element("li", class, element("span", "text", l.text), foot))
		}
		name := c.name
		if name == "" {
			name = c.number
		}
		first, _ := utf8.DecodeRuneInString(name)
		badge := element("span", fmt.Sprintf("badge tint-%d", sum(c.number)%5), string(unicode.ToUpper(first)))
		badge.Call("setAttribute", "aria-hidden", "true")
		chats = append(chats, element("li", "chat",
			element("header", "", badge, element("div", "who", element("b", "", name), element("small", "", c.number)), element("span", "tag", c.instance)), lines))
	}
	if len(chats) == 0 {
		chats = append(chats, element("li", "empty", "Nothing has been written since this page was opened. Messages appear here as they come."))
	}
	set("chats", chats...)
}

var marks = map[ryze.MessageStatus]string{"": "✓", ryze.StatusDelivered: "✓✓", ryze.StatusRead: "✓✓", ryze.StatusPlayed: "✓✓"}

func sum(text string) (n int) {
	for _, r := range text {
		n += int(r)
	}
	return n
}
