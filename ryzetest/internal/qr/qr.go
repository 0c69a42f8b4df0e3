// Package qr draws QR codes: byte mode, error correction levels L and M,
// versions 1 to 20, as ISO/IEC 18004 describes them.
package qr

import (
	"errors"
	"image"
	"image/color"
)

// Level is an error correction level.
type Level int

// The levels that Encode draws.
const (
	L Level = iota // repairs about 7 % of the code
	M              // repairs about 15 % of the code
)

const maxVersion = 20

// ErrTooLong is returned for data that does not fit into the largest version.
var ErrTooLong = errors.New("qr: data too long")

// Error correction codewords per block, and number of blocks, by version.
var (
	eccPerBlock = [2][maxVersion + 1]int{
		{0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28},
		{0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26},
	}
	eccBlocks = [2][maxVersion + 1]int{
		{0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8},
		{0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16},
	}
)

// Code is a drawn QR code.
type Code struct {
	Version int
	Level   Level
	Mask    int
	Size    int // modules per side, without the quiet zone

	dark     [][]bool
	function [][]bool // modules that carry no data
}

// Dark reports whether a module is dark. Outside the code all is light.
func (c *Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.Size && y < c.Size && c.dark[y][x]
}

// Image draws the code with a quiet zone of four modules, scale pixels per module.
func (c *Code) Image(scale int) image.Image {
	const quiet = 4
	side := (c.Size + 2*quiet) * scale
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if c.Dark(x/scale-quiet, y/scale-quiet) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	return img
}

// Encode draws data in the smallest version that holds it, with the mask of the
// lowest penalty.
func Encode(data []byte, level Level) (*Code, error) {
	version := 1
	for dataCodewords(version, level)*8 < 4+countBits(version)+8*len(data) {
		if version++; version > maxVersion {
			return nil, ErrTooLong
		}
	}
	codewords := addECC(pack(data, version, level), version, level)

	var best *Code
	bestPenalty := 0
	for mask := range 8 {
		c := newCode(version, level, mask)
		c.drawFunction()
		c.drawData(codewords)
		c.applyMask()
		c.drawFormat()
		if p := c.penalty(); best == nil || p < bestPenalty {
			best, bestPenalty = c, p
		}
	}
	return best, nil
}

func countBits(version int) int {
	if version < 10 {
		return 8
	}
	return 16
}

// rawModules is how many modules of a version carry data or error correction.
func rawModules(version int) int {
	n := (16*version+128)*version + 64
	if version >= 2 {
		align := version/7 + 2
		n -= (25*align-10)*align - 55
		if version >= 7 {
			n -= 36
		}
	}
	return n
}

func dataCodewords(version int, level Level) int {
	return rawModules(version)/8 - eccPerBlock[level][version]*eccBlocks[level][version]
}

// pack writes mode, length, data, terminator and padding.
func pack(data []byte, version int, level Level) []byte {
	size := dataCodewords(version, level)
	var w bitWriter
	w.write(4, 4) // byte mode
	w.write(len(data), countBits(version))
	for _, b := range data {
		w.write(int(b), 8)
	}
	w.write(0, min(4, size*8-w.n))
	w.write(0, (8-w.n%8)%8)
	for pad := 0xEC; len(w.b) < size; pad ^= 0xEC ^ 0x11 {
		w.write(pad, 8)
	}
	return w.b
}

type bitWriter struct {
	b []byte
	n int // bits written
}

func (w *bitWriter) write(v, bits int) {
	for i := bits - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		if v>>i&1 == 1 {
			w.b[w.n/8] |= 0x80 >> (w.n % 8)
		}
		w.n++
	}
}

// addECC splits the data into blocks, adds the error correction of each and
// interleaves them.
func addECC(data []byte, version int, level Level) []byte {
	blocks, eccLen := eccBlocks[level][version], eccPerBlock[level][version]
	raw := rawModules(version) / 8
	short := blocks - raw%blocks // blocks with one data codeword less
	shortLen := raw/blocks - eccLen
	gen := generator(eccLen)

	var dataOf, eccOf [][]byte
	for i := range blocks {
		n := shortLen
		if i >= short {
			n++
		}
		dataOf = append(dataOf, data[:n])
		eccOf = append(eccOf, remainder(data[:n], gen))
		data = data[n:]
	}
	out := make([]byte, 0, raw)
	for i := range shortLen + 1 {
		for _, d := range dataOf {
			if i < len(d) {
				out = append(out, d[i])
			}
		}
	}
	for i := range eccLen {
		for _, e := range eccOf {
			out = append(out, e[i])
		}
	}
	return out
}

// mul multiplies in GF(2^8) modulo x^8+x^4+x^3+x^2+1.
func mul(x, y byte) byte {
	z := 0
	for i := 7; i >= 0; i-- {
		z = z<<1 ^ z>>7*0x11D
		z ^= int(y>>i&1) * int(x)
	}
	return byte(z)
}

// generator is the Reed-Solomon generator polynomial, without its leading 1.
func generator(degree int) []byte {
	g := make([]byte, degree)
	g[degree-1] = 1
	root := byte(1)
	for range degree {
		for j := range g {
			g[j] = mul(g[j], root)
			if j+1 < degree {
				g[j] ^= g[j+1]
			}
		}
		root = mul(root, 2)
	}
	return g
}

func remainder(data, gen []byte) []byte {
	r := make([]byte, len(gen))
	for _, b := range data {
		factor := b ^ r[0]
		copy(r, r[1:])
		r[len(r)-1] = 0
		for i := range r {
			r[i] ^= mul(gen[i], factor)
		}
	}
	return r
}

func newCode(version int, level Level, mask int) *Code {
	c := &Code{Version: version, Level: level, Mask: mask, Size: 4*version + 17}
	for range c.Size {
		c.dark = append(c.dark, make([]bool, c.Size))
		c.function = append(c.function, make([]bool, c.Size))
	}
	return c
}

func (c *Code) set(x, y int, dark bool) {
	c.dark[y][x] = dark
	c.function[y][x] = true
}

func (c *Code) drawFunction() {
	for i := range c.Size {
		c.set(6, i, i%2 == 0)
		c.set(i, 6, i%2 == 0)
	}
	c.drawFinder(3, 3)
	c.drawFinder(c.Size-4, 3)
	c.drawFinder(3, c.Size-4)
	at := alignments(c.Version)
	last := len(at) - 1
	for i, y := range at {
		for j, x := range at {
			if i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue // a finder is there
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					c.set(x+dx, y+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
	c.drawFormat()
	c.drawVersion()
}

func (c *Code) drawFinder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			px, py := x+dx, y+dy
			if px < 0 || py < 0 || px >= c.Size || py >= c.Size {
				continue
			}
			ring := max(abs(dx), abs(dy))
			c.set(px, py, ring != 2 && ring != 4)
		}
	}
}

// alignments are the coordinates of the alignment patterns' centres.
func alignments(version int) []int {
	if version == 1 {
		return nil
	}
	n := version/7 + 2
	step := (version*8 + n*3 + 5) / (n*4 - 4) * 2
	at := make([]int, n)
	at[0] = 6
	for i, pos := n-1, version*4+10; i > 0; i, pos = i-1, pos-step {
		at[i] = pos
	}
	return at
}

// formatBits are level and mask with their BCH code.
func formatBits(level Level, mask int) int {
	data := mask
	if level == L {
		data |= 1 << 3
	}
	rem := data
	for range 10 {
		rem = rem<<1 ^ rem>>9*0x537
	}
	return (data<<10 | rem) ^ 0x5412
}

func (c *Code) drawFormat() {
	bits := formatBits(c.Level, c.Mask)
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		c.set(8, i, bit(i))
	}
	c.set(8, 7, bit(6))
	c.set(8, 8, bit(7))
	c.set(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		c.set(14-i, 8, bit(i))
	}
	for i := range 8 {
		c.set(c.Size-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		c.set(8, c.Size-15+i, bit(i))
	}
	c.set(8, c.Size-8, true)
}

// versionBits are the version with its BCH code.
func versionBits(version int) int {
	rem := version
	for range 12 {
		rem = rem<<1 ^ rem>>11*0x1F25
	}
	return version<<12 | rem
}

func (c *Code) drawVersion() {
	if c.Version < 7 {
		return
	}
	bits := versionBits(c.Version)
	for i := range 18 {
		dark := bits>>i&1 == 1
		a, b := c.Size-11+i%3, i/3
		c.set(a, b, dark)
		c.set(b, a, dark)
	}
}

// drawData fills the data modules, in columns of two from the right, going up
// and down in turn.
func (c *Code) drawData(codewords []byte) {
	i := 0
	for right := c.Size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for vert := range c.Size {
			for j := range 2 {
				x, y := right-j, vert
				if (right+1)&2 == 0 {
					y = c.Size - 1 - vert
				}
				if c.function[y][x] || i >= len(codewords)*8 {
					continue
				}
				c.dark[y][x] = codewords[i/8]>>(7-i%8)&1 == 1
				i++
			}
		}
	}
}

func masked(mask, x, y int) bool {
	switch mask {
	case 0:
		return (x+y)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (x+y)%3 == 0
	case 4:
		return (x/3+y/2)%2 == 0
	case 5:
		return x*y%2+x*y%3 == 0
	case 6:
		return (x*y%2+x*y%3)%2 == 0
	}
	return ((x+y)%2+x*y%3)%2 == 0
}

func (c *Code) applyMask() {
	for y := range c.Size {
		for x := range c.Size {
			if !c.function[y][x] && masked(c.Mask, x, y) {
				c.dark[y][x] = !c.dark[y][x]
			}
		}
	}
}

// penalty is the score of the standard's four rules.
func (c *Code) penalty() int {
	score, dark := 0, 0
	for a := range c.Size {
		score += linePenalty(c.Size, func(b int) bool { return c.dark[a][b] })
		score += linePenalty(c.Size, func(b int) bool { return c.dark[b][a] })
	}
	for y := range c.Size {
		for x := range c.Size {
			v := c.dark[y][x]
			if v {
				dark++
			}
			if x+1 < c.Size && y+1 < c.Size && v == c.dark[y][x+1] && v == c.dark[y+1][x] && v == c.dark[y+1][x+1] {
				score += 3
			}
		}
	}
	total := c.Size * c.Size
	k := (abs(dark*20-total*10)+total-1)/total - 1
	return score + max(k, 0)*10
}

// linePenalty scores runs of one colour, and what looks like a finder.
func linePenalty(n int, at func(int) bool) int {
	score, run := 0, 0
	for i := range n {
		if i > 0 && at(i) == at(i-1) {
			run++
		} else {
			run = 1
		}
		if run == 5 {
			score += 3
		} else if run > 5 {
			score++
		}
	}
	finder := [...]bool{true, false, true, true, true, false, true}
	dark := func(i int) bool { return i >= 0 && i < n && at(i) }
	for i := 0; i+len(finder) <= n; i++ {
		match := true
		for j, want := range finder {
			if at(i+j) != want {
				match = false
				break
			}
		}
		if !match {
			continue
		}
		before, after := true, true
		for j := 1; j <= 4; j++ {
			before = before && !dark(i-j)
			after = after && !dark(i+6+j)
		}
		if before {
			score += 40
		}
		if after {
			score += 40
		}
	}
	return score
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
