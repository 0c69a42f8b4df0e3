package qr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The codes of the standard's tables: format information for L and M with
// masks 0 to 7, version information for 7 and 20.
func TestFormatAndVersionBitsAreThoseOfTheStandard(t *testing.T) {
	want := map[Level][]string{
		L: {"111011111000100", "111001011110011", "111110110101010", "111100010011101",
			"110011000101111", "110001100011000", "110110001000001", "110100101110110"},
		M: {"101010000010010", "101000100100101", "101111001111100", "101101101001011",
			"100010111111001", "100000011001110", "100111110010111", "100101010100000"},
	}
	for level, rows := range want {
		for mask, bits := range rows {
			assert.Equal(t, bits, fmt.Sprintf("%015b", formatBits(level, mask)), "level %d mask %d", level, mask)
		}
	}
	assert.Equal(t, "000111110010010100", fmt.Sprintf("%018b", versionBits(7)))
	assert.Equal(t, "010100100110100110", fmt.Sprintf("%018b", versionBits(20)))
}

// The capacities of the standard's table for byte mode.
func TestCapacityIsThatOfTheStandard(t *testing.T) {
	want := [2][]int{
		{17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858},
		{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666},
	}
	for level, sizes := range want {
		for i, n := range sizes {
			c, err := Encode([]byte(strings.Repeat("x", n)), Level(level))
			require.NoError(t, err)
			assert.Equal(t, i+1, c.Version, "level %d, %d bytes", level, n)
			c, err = Encode([]byte(strings.Repeat("x", n+1)), Level(level))
			if i == len(sizes)-1 {
				require.ErrorIs(t, err, ErrTooLong)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, i+2, c.Version)
		}
	}
}

// The Reed-Solomon example of the standard's annex (version 1-M, "01234567").
func TestErrorCorrectionIsThatOfTheStandard(t *testing.T) {
	data := []byte{0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11}
	want := []byte{0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55}
	assert.Equal(t, want, remainder(data, generator(10)))
}

func TestAlignmentPatternsAreThoseOfTheStandard(t *testing.T) {
	assert.Empty(t, alignments(1))
	assert.Equal(t, []int{6, 18}, alignments(2))
	assert.Equal(t, []int{6, 22, 38}, alignments(7))
	assert.Equal(t, []int{6, 26, 48, 70}, alignments(15))
	assert.Equal(t, []int{6, 34, 62, 90}, alignments(20))
}

// Reading the drawn modules back, as a scanner does, gives the text.
func TestDrawnCodeReadsBack(t *testing.T) {
	for _, level := range []Level{L, M} {
		for _, n := range []int{1, 17, 60, 150, 240, 300, 450, 640} {
			text := strings.Repeat("2@Ab+/9,", n/8+1)[:n]
			c, err := Encode([]byte(text), level)
			require.NoError(t, err)
			assert.Equal(t, text, scan(t, c), "version %d level %d", c.Version, level)
		}
	}
}

// scan reads a code from its dark modules alone.
func scan(t *testing.T, c *Code) string {
	t.Helper()
	size := c.Size
	version := (size - 17) / 4

	format := 0
	for i := 14; i >= 9; i-- {
		format = format<<1 | bit(c.Dark(14-i, 8))
	}
	for _, at := range [][2]int{{7, 8}, {8, 8}, {8, 7}, {8, 5}, {8, 4}, {8, 3}, {8, 2}, {8, 1}, {8, 0}} {
		format = format<<1 | bit(c.Dark(at[0], at[1]))
	}
	format ^= 0b101010000010010
	require.Contains(t, []int{0, 1}, format>>13, "level")
	level := M
	if format>>13 == 1 {
		level = L
	}
	mask := format >> 10 & 7

	// Where data may not be: worked out here again, not taken from the encoder.
	reserved := func(x, y int) bool {
		if x <= 8 && y <= 8 || x >= size-8 && y <= 8 || x <= 8 && y >= size-8 || x == 6 || y == 6 {
			return true
		}
		if version >= 7 && (x >= size-11 && y <= 5 || y >= size-11 && x <= 5) {
			return true
		}
		at := alignments(version)
		for _, ay := range at {
			for _, ax := range at {
				corner := ax == 6 && ay == 6 || ax == 6 && ay == size-7 || ax == size-7 && ay == 6
				if !corner && abs(x-ax) <= 2 && abs(y-ay) <= 2 {
					return true
				}
			}
		}
		return false
	}
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
					bits = append(bits, bit(c.Dark(col, y) != masked(mask, col, y)))
				}
			}
		}
		up = !up
	}
	var raw []byte
	for i := 0; i+8 <= len(bits); i += 8 {
		b := 0
		for _, v := range bits[i : i+8] {
			b = b<<1 | v
		}
		raw = append(raw, byte(b))
	}

	blocks, ecc := eccBlocks[level][version], eccPerBlock[level][version]
	short := blocks - len(raw)%blocks
	per := len(raw)/blocks - ecc
	split := make([][]byte, blocks)
	k := 0
	for i := range per + 1 {
		for b := range blocks {
			if i < per || b >= short {
				split[b] = append(split[b], raw[k])
				k++
			}
		}
	}
	var data []byte
	for _, d := range split {
		data = append(data, d...)
	}
	for range ecc {
		for b := range blocks {
			split[b] = append(split[b], raw[k])
			k++
		}
	}
	for b, block := range split {
		root := byte(1)
		for range ecc {
			var syndrome byte
			for _, v := range block {
				syndrome = mul(syndrome, root) ^ v
			}
			require.Zero(t, syndrome, "block %d", b)
			root = mul(root, 2)
		}
	}

	pos := 0
	read := func(n int) int {
		v := 0
		for range n {
			v = v<<1 | int(data[pos/8]>>(7-pos%8)&1)
			pos++
		}
		return v
	}
	require.Equal(t, 4, read(4), "byte mode")
	n := read(countBits(version))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(read(8))
	}
	return string(out)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestPictureHasAQuietZone(t *testing.T) {
	c, err := Encode([]byte("x"), L)
	require.NoError(t, err)
	img := c.Image(2)
	assert.Equal(t, (21+8)*2, img.Bounds().Dx())
	r, _, _, _ := img.At(7, 7).RGBA()
	assert.EqualValues(t, 0xffff, r)
	r, _, _, _ = img.At(8, 8).RGBA()
	assert.Zero(t, r)
}
