package ryzetest

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/draw"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPictureShowsTheTextThatTheEventCarries(t *testing.T) {
	for prefix, opts := range map[string][]Option{"data:image/png;base64,": nil, "": {WithoutQRPrefix()}} {
		in := &inbox{}
		bubble(t, func(t *testing.T, s *Server, c client) {
			s.AddInstance("a")
			c.do("POST", "/api/events/webhook/a", `{"enabled":true,"url":"http://h.test/"}`)
			for range 3 { // every connect makes a new code
				a := c.do("GET", "/api/instance/connect/a", "")
				encoded, found := strings.CutPrefix(a.at("qrCodeBase64").(string), prefix)
				require.True(t, found)
				shown := scan(t, picture(t, encoded))
				assert.Equal(t, a.at("qrCode"), shown)
				got := in.take()
				require.NotEmpty(t, got)
				assert.Equal(t, got[len(got)-1].at("data", "codes").([]any)[0], shown)
			}
		}, append(opts, WithWebhookHandler(in))...)
	}
}

func TestPictureOfAnyTextReadsBack(t *testing.T) {
	// What each size of a code holds in level L, by the standard's table: from less to
	// more than any pairing text has.
	for _, n := range []int{17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858} {
		text := strings.Repeat("2@Ab+/9=,", n/9+1)[:n]
		encoded, err := qrPNG(text)
		require.NoError(t, err)
		img := picture(t, encoded)
		assert.Equal(t, text, scan(t, img))
		assert.GreaterOrEqual(t, img.Bounds().Dx(), 200, "a phone must be able to read it from a screen")
	}
}

func TestTextThatNoCodeHoldsIsAnError(t *testing.T) {
	_, err := qrPNG(strings.Repeat("x", 3000))
	assert.Error(t, err)
}

func picture(t *testing.T, encoded string) image.Image {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, img.Bounds().Dx(), img.Bounds().Dy(), "a square")
	return img
}

// Error correction codewords per block, and number of blocks, of level L by
// version, from the standard's tables.
var (
	correctionPerBlock = []int{0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28}
	correctionBlocks   = []int{0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8}
)

// scan reads the picture of a code of level L, versions 1 to 20, in byte mode. It
// shares nothing with what draws the code. It repairs nothing: a code with a
// wrong module is refused.
func scan(t *testing.T, img image.Image) string {
	t.Helper()
	size, dark := modules(t, img)
	version := (size - 17) / 4
	require.Equal(t, size, 17+4*version)
	require.Less(t, version, len(correctionBlocks))

	// The format stands beside the first corner, and again beside the other two.
	format, again := 0, 0
	for _, at := range [][2]int{{0, 8}, {1, 8}, {2, 8}, {3, 8}, {4, 8}, {5, 8}, {7, 8}, {8, 8}, {8, 7}, {8, 5}, {8, 4}, {8, 3}, {8, 2}, {8, 1}, {8, 0}} {
		format = format<<1 | dark(at[0], at[1])
	}
	for i := range 15 {
		if i < 7 {
			again = again<<1 | dark(8, size-1-i)
		} else {
			again = again<<1 | dark(size-15+i, 8)
		}
	}
	require.Equal(t, format, again, "both copies of the format")
	format ^= 0b101010000010010
	require.Zero(t, remainderOf(format, 0x537, 10), "the format's own check")
	require.Equal(t, 1, format>>13, "level L")
	require.Equal(t, 1, dark(8, size-8), "the module that is always dark")
	for i := 8; i < size-8; i++ {
		if dark(i, 6) != 1-i%2 || dark(6, i) != 1-i%2 {
			require.Fail(t, "a wrong timing pattern", "at %d", i)
		}
	}
	if version >= 7 {
		first, second := 0, 0
		for i := 17; i >= 0; i-- {
			first = first<<1 | dark(size-11+i%3, i/3)
			second = second<<1 | dark(i/3, size-11+i%3)
		}
		require.Equal(t, first, second, "both copies of the version")
		require.Zero(t, remainderOf(first, 0x1F25, 12), "the version's own check")
		require.Equal(t, version, first>>12)
	}

	// Data runs in columns of two, up and down in turn, round what is reserved.
	reserved := reservedModules(size, version)
	var bits []int
	up := true
	for x := size - 1; x > 0; x -= 2 {
		if x == 6 {
			x--
		}
		for k := range size {
			y := k
			if up {
				y = size - 1 - k
			}
			for _, col := range []int{x, x - 1} {
				if !reserved(col, y) {
					bits = append(bits, dark(col, y)^masked(format>>10&7, col, y))
				}
			}
		}
		up = !up
	}
	var raw []byte
	for i := 0; i+8 <= len(bits); i += 8 {
		raw = append(raw, byte(bitsOf(bits[i:i+8])))
	}

	data := checkedBlocks(t, raw, version)
	bits = bits[:0]
	for _, b := range data {
		for i := 7; i >= 0; i-- {
			bits = append(bits, int(b>>i&1))
		}
	}
	require.Equal(t, 4, bitsOf(bits[:4]), "byte mode")
	length := 8
	if version >= 10 {
		length = 16
	}
	out := make([]byte, bitsOf(bits[4:4+length]))
	for i := range out {
		at := 4 + length + 8*i
		out[i] = byte(bitsOf(bits[at : at+8]))
	}
	return string(out)
}

// modules returns the modules a side, and what says whether one is dark. Every
// pixel of a module must have its colour, and four modules round the code are light.
func modules(t *testing.T, img image.Image) (int, func(x, y int) int) {
	t.Helper()
	gray := image.NewGray(img.Bounds())
	draw.Draw(gray, img.Bounds(), img, image.Point{}, draw.Src)
	light := func(x, y int) bool { return gray.GrayAt(x, y).Y > 0x7f }
	side, margin := img.Bounds().Dx(), 0
	for margin < side && light(margin, margin) {
		margin++
	}
	require.NotEqual(t, side, margin, "an empty picture")
	require.Zero(t, margin%4, "four modules of margin")
	scale := margin / 4
	require.Zero(t, side%scale)
	for y := range side {
		row := func(y int) []byte { return gray.Pix[y*gray.Stride:][:side] }
		if first := y / scale * scale; y != first {
			require.True(t, bytes.Equal(row(first), row(y)), "row %d is not that of its module", y)
			continue
		}
		for x := range side {
			inMargin := min(x, y, side-1-x, side-1-y) < margin
			if light(x, y) != light(x/scale*scale, y) || inMargin && !light(x, y) {
				require.Fail(t, "a pixel of the wrong colour", "%d, %d of %d", x, y, side)
			}
		}
	}
	return side/scale - 8, func(x, y int) int {
		if light((x+4)*scale, (y+4)*scale) {
			return 0
		}
		return 1
	}
}

// reservedModules says where data may not be.
func reservedModules(size, version int) func(x, y int) bool {
	var alignment []int
	if version > 1 {
		n := version/7 + 2
		step := (version*8 + n*3 + 5) / (n*4 - 4) * 2
		for i := range n - 1 {
			alignment = append(alignment, size-7-i*step)
		}
		alignment = append(alignment, 6)
	}
	near := func(a, b int) bool { return a-b <= 2 && b-a <= 2 }
	return func(x, y int) bool {
		if x <= 8 && y <= 8 || x >= size-8 && y <= 8 || x <= 8 && y >= size-8 || x == 6 || y == 6 {
			return true
		}
		if version >= 7 && (x >= size-11 && y <= 5 || y >= size-11 && x <= 5) {
			return true
		}
		for _, ay := range alignment {
			for _, ax := range alignment {
				corner := ax == 6 && ay == 6 || ax == 6 && ay == size-7 || ax == size-7 && ay == 6
				if !corner && near(x, ax) && near(y, ay) {
					return true
				}
			}
		}
		return false
	}
}

func masked(mask, x, y int) int {
	flipped := []bool{
		(x+y)%2 == 0, y%2 == 0, x%3 == 0, (x+y)%3 == 0, (x/3+y/2)%2 == 0,
		x*y%2+x*y%3 == 0, (x*y%2+x*y%3)%2 == 0, ((x+y)%2+x*y%3)%2 == 0,
	}
	if flipped[mask] {
		return 1
	}
	return 0
}

// checkedBlocks puts the interleaved blocks in order and drops their error
// correction, which must find no error.
func checkedBlocks(t *testing.T, raw []byte, version int) []byte {
	t.Helper()
	blocks, correction := correctionBlocks[version], correctionPerBlock[version]
	short := blocks - len(raw)%blocks
	per := len(raw)/blocks - correction
	split := make([][]byte, blocks)
	next := 0
	deal := func(b int) {
		split[b] = append(split[b], raw[next])
		next++
	}
	for i := range per + 1 {
		for b := range blocks {
			if i < per || b >= short {
				deal(b)
			}
		}
	}
	data := bytes.Join(split, nil)
	for range correction {
		for b := range blocks {
			deal(b)
		}
	}
	for _, block := range split {
		root := byte(1)
		for range correction {
			var syndrome byte
			for _, v := range block {
				syndrome = product(syndrome, root) ^ v
			}
			require.Zero(t, syndrome)
			root = product(root, 2)
		}
	}
	return data
}

// product multiplies in the field of the code's error correction.
func product(x, y byte) byte {
	z := 0
	for i := 7; i >= 0; i-- {
		z = z<<1 ^ z>>7*0x11D
		z ^= int(y>>i&1) * int(x)
	}
	return byte(z)
}

// remainderOf divides bits by a polynomial of a degree.
func remainderOf(bits, polynomial, degree int) int {
	for i := 20; i >= degree; i-- {
		if bits>>i&1 == 1 {
			bits ^= polynomial << (i - degree)
		}
	}
	return bits
}

// bitsOf reads bits, the highest first.
func bitsOf(bits []int) int {
	n := 0
	for _, b := range bits {
		n = n<<1 | b
	}
	return n
}
