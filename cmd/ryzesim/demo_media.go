package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// scene colours a point of a picture; both coordinates go from -1 to 1.
type scene func(x, y float64) color.RGBA

const pictureSize = 320 // pixels

// picture draws a scene as PNG.
func picture(s scene) []byte {
	img := image.NewRGBA(image.Rect(0, 0, pictureSize, pictureSize))
	for py := range pictureSize {
		for px := range pictureSize {
			img.SetRGBA(px, py, s(2*float64(px)/pictureSize-1, 2*float64(py)/pictureSize-1))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

var (
	cream  = color.RGBA{0xff, 0xf3, 0xdf, 0xff}
	brown  = color.RGBA{0x6f, 0x3f, 0x1f, 0xff}
	sponge = color.RGBA{0xf2, 0xb0, 0x4c, 0xff}
	cherry = color.RGBA{0xc8, 0x1d, 0x3a, 0xff}
	sky    = color.RGBA{0xbf, 0xe3, 0xf5, 0xff}
	wood   = color.RGBA{0x8b, 0x5a, 0x2b, 0xff}
	ink    = color.RGBA{0x33, 0x33, 0x33, 0xff}
	paper  = color.RGBA{0xfa, 0xfa, 0xf5, 0xff}
	green  = color.RGBA{0x1f, 0x9d, 0x55, 0xff}
)

// cakeOn is a cake of two layers with a cherry.
func cakeOn(background color.RGBA) scene {
	return func(x, y float64) color.RGBA {
		drip := 0.05 * math.Sin(18*x)
		switch {
		case math.Hypot(x, y+0.42) < 0.11:
			return cherry
		case math.Abs(x) < 0.6 && y > -0.32 && y < -0.1+drip:
			return brown
		case math.Abs(x) < 0.6 && y > 0.16 && y < 0.22:
			return cream
		case math.Abs(x) < 0.6 && y > -0.32 && y < 0.5:
			return sponge
		case math.Hypot(x/0.85, (y-0.5)/0.12) < 1:
			return color.RGBA{0xe6, 0xe6, 0xe6, 0xff}
		}
		return background
	}
}

// Pictures of the demo.
var (
	lastYear scene = cakeOn(sky)
	sticker  scene = cakeOn(color.RGBA{})
	slice    scene = func(x, y float64) color.RGBA {
		if inside := y > -0.4 && y < 0.5 && math.Abs(x) < (y+0.5)*0.8; inside {
			if y < -0.1 {
				return brown
			}
			return sponge
		}
		return cream
	}
	receiptSheet scene = func(x, y float64) color.RGBA {
		switch {
		case math.Abs(x) > 0.7 || math.Abs(y) > 0.9:
			return sky
		case math.Hypot(x, y+0.55) < 0.18:
			return green
		case math.Abs(x) < 0.5 && y > -0.2 && math.Mod(y+1, 0.2) < 0.05:
			return ink
		}
		return paper
	}
	door scene = func(x, y float64) color.RGBA {
		switch {
		case math.Hypot(x-0.3, y-0.1) < 0.05:
			return sponge
		case math.Abs(x) < 0.45 && y > -0.75:
			return wood
		}
		return sky
	}
)

// chime is two seconds of two notes that fade, as WAV.
func chime() []byte {
	const rate, seconds = 8000, 2
	samples := make([]int16, rate*seconds)
	for k := range samples {
		t := float64(k) / rate
		note, since := 659.26, t
		if t > 0.5 {
			note, since = 880, t-0.5
		}
		samples[k] = int16(12000 * math.Exp(-3*since) * math.Sin(2*math.Pi*note*t))
	}
	var b bytes.Buffer
	size := uint32(2 * len(samples)) //nolint:gosec // 32000
	b.WriteString("RIFF")
	for _, v := range []any{
		36 + size, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16),
		[]byte("data"), size, samples,
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // values of fixed sizes, into a buffer
		}
	}
	return b.Bytes()
}

// priceList is a PDF of one page.
func priceList(say translator) []byte {
	var page bytes.Buffer
	fmt.Fprintf(&page, "BT /F1 24 Tf 72 740 Td (%s) Tj /F1 14 Tf", say.say("Prices", "Precos"))
	for _, c := range say.cakes() {
		fmt.Fprintf(&page, " 0 -32 Td (%s: R$ %.2f) Tj", c.name, c.price)
	}
	page.WriteString(" ET")
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for k, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", page.Len(), page.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", k+1, object)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return b.Bytes()
}
