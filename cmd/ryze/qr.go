package main

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quietZone is the light border around a code, in modules, as its standard wants.
const quietZone = 4

// qrCode is the picture of a text: modules, of which the dark ones are true.
type qrCode struct {
	size int // with the quiet zone
	dark func(x, y int) bool
}

func newQRCode(text string) (*qrCode, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, fmt.Errorf("the code cannot be drawn: %w", err)
	}
	return &qrCode{
		size: code.Size + 2*quietZone,
		dark: func(x, y int) bool { return code.Black(x-quietZone, y-quietZone) },
	}, nil
}

// draw returns the code in half blocks: each character is two modules, one above
// the other. With colors it is black on white whatever the colours of the
// terminal are. Without, the light modules are drawn, for a dark terminal; invert
// draws the dark ones, for paper and light terminals.
func (c *qrCode) draw(colors, invert bool) string {
	const black, white, reset = "\x1b[38;5;16m", "\x1b[48;5;231m", "\x1b[0m"
	drawDark := colors || invert
	var b strings.Builder
	for y := 0; y < c.size; y += 2 {
		if colors {
			b.WriteString(black + white)
		}
		for x := range c.size {
			// Below an odd number of lines there is nothing: what is not drawn.
			top := c.dark(x, y) == drawDark
			bottom := y+1 < c.size && c.dark(x, y+1) == drawDark
			switch {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		if colors {
			b.WriteString(reset)
		}
		b.WriteString("\n")
	}
	return b.String()
}
