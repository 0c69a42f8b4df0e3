package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// codeLife is how long a QR code is shown: WhatsApp replaces it after about that.
const codeLife = 20 * time.Second

type connectFlags struct {
	phone  string
	png    string
	wait   time.Duration
	invert bool
	fresh  bool
}

// connectLine is what connect --json prints a line for.
type connectLine struct {
	State  string `json:"state"` // qr, code or connected
	QRCode string `json:"qrCode,omitempty"`
	Code   string `json:"code,omitempty"`
	Number string `json:"number,omitempty"`
}

func (a *app) connectCommand() *cobra.Command {
	var flags connectFlags
	c := &cobra.Command{
		Use:   "connect [NAME]",
		Short: "Pair an instance with a phone, by QR code or pairing code",
		Long: `Pair an instance with a phone. A QR code is shown, and renewed, until somebody
scans it: WhatsApp, Linked devices, Link a device. With --phone a pairing code
is shown instead, which is typed on that phone.

An instance that has only lost its connection is connected again, without a code.

Whoever sees the code can pair the number: show it to nobody else.

With --json: one JSON object a line; "state" is qr, code or connected. Those of
the first two hold the code.`,
		Example: `  ryze connect support-line
  ryze connect support-line --phone "+55 11 98765-4321"`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			params := ryze.ConnectParams{}
			if flags.phone != "" {
				if params.Phone, err = recipient(flags.phone); err != nil {
					return err
				}
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.connect(cmd.Context(), inst, params, flags)
		},
	}
	c.Flags().StringVar(&flags.phone, "phone", "", "show a pairing code for the phone with this number, instead of a QR code")
	c.Flags().StringVar(&flags.png, "png", "", "also write the QR code to this file, as a picture")
	c.Flags().DurationVar(&flags.wait, "wait", 5*time.Minute, "how long to wait for the phone")
	c.Flags().BoolVar(&flags.invert, "invert", false, "draw dark on light, when colours are off (NO_COLOR, a file)")
	c.Flags().BoolVar(&flags.fresh, "new", false, "pair anew, also when the instance has a session")
	a.jsonFlag(c)
	return c
}

func (a *app) connect(ctx context.Context, inst *ryze.InstanceClient, params ryze.ConnectParams, flags connectFlags) error {
	info, err := inst.Info(ctx)
	if err != nil {
		return err
	}
	if info.Connected() {
		return a.connected(info)
	}
	wait, cancel := context.WithTimeout(ctx, flags.wait)
	defer cancel()
	info, err = a.reconnect(wait, inst, info, flags)
	if info == nil && err == nil {
		info, err = a.pair(wait, inst, params, flags)
	}
	switch {
	case err == nil:
		return a.connected(info)
	case ctx.Err() != nil:
		return &hinted{fmt.Errorf("%q is not connected", inst.Name()), ""}
	case wait.Err() != nil:
		return &hinted{fmt.Errorf("%q is not connected after %s", inst.Name(), flags.wait), "run it again when the phone is at hand; --wait gives more time"}
	default:
		return err
	}
}

// reconnect brings a session back. Without one it returns nothing.
func (a *app) reconnect(ctx context.Context, inst *ryze.InstanceClient, info *ryze.Instance, flags connectFlags) (*ryze.Instance, error) {
	if flags.fresh || flags.phone != "" || info.JID == "" || info.State == ryze.InstanceLoggedOut {
		return nil, nil
	}
	switch err := inst.Reconnect(ctx); {
	case errors.Is(err, ryze.ErrNoSession):
		return nil, nil
	case err != nil && !errors.Is(err, ryze.ErrOutcomeUnknown): // if unknown, the wait tells
		return nil, err
	}
	a.note("It has a session: connecting again as %s. (--new pairs anew.)", info.JID.Phone())
	return inst.WaitConnected(ctx)
}

// pair shows codes until one has been used.
func (a *app) pair(ctx context.Context, inst *ryze.InstanceClient, params ryze.ConnectParams, flags connectFlags) (*ryze.Instance, error) {
	drawn := 0 // lines of the code that is on the terminal
	for {
		pairing, err := inst.Connect(ctx, params)
		if err != nil {
			return nil, err
		}
		if pairing.AlreadyConnected() {
			return inst.WaitConnected(ctx)
		}
		if params.Phone != "" && pairing.Code != "" {
			// Another code would make this one useless while it is being typed.
			if err := a.showCode(pairing, params.Phone); err != nil {
				return nil, err
			}
			return inst.WaitConnected(ctx)
		}
		if pairing.QRCode == "" {
			return nil, fmt.Errorf("the service has sent no code, but says %q", pairing.Status)
		}
		if drawn, err = a.showQR(pairing, flags, drawn); err != nil {
			return nil, err
		}
		if info, err := a.scanned(ctx, inst); info != nil || err != nil {
			return info, err
		}
	}
}

// scanned waits for as long as a code lives, and longer when it has been scanned:
// a new code would end that pairing. It returns nothing when the code has expired.
func (a *app) scanned(ctx context.Context, inst *ryze.InstanceClient) (*ryze.Instance, error) {
	for {
		scan, cancel := context.WithTimeout(ctx, codeLife)
		info, err := inst.WaitConnected(scan)
		expired := scan.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !expired || !errors.Is(err, context.DeadlineExceeded) {
			return info, err
		}
		info, err = inst.Info(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case info.Connected():
			return info, nil
		case info.State != ryze.InstancePairSuccess:
			return nil, nil
		}
	}
}

func (a *app) showCode(pairing *ryze.Pairing, phone ryze.JID) error {
	if a.asJSON {
		return a.jsonLine(connectLine{State: "code", Code: pairing.Code.Reveal()})
	}
	a.note("On the phone %s: WhatsApp, Linked devices, Link a device, Link with phone number instead.", phone.Phone())
	a.tell("Pairing code: %s", pairing.Code.Reveal())
	a.note("Waiting for the phone. Ctrl-C ends it.")
	return nil
}

// showQR draws a code over the one before it, and returns how many lines it has.
func (a *app) showQR(pairing *ryze.Pairing, flags connectFlags, drawn int) (int, error) {
	if flags.png != "" {
		if err := writePNG(flags.png, pairing); err != nil {
			return 0, err
		}
	}
	if a.asJSON {
		return 0, a.jsonLine(connectLine{State: "qr", QRCode: pairing.QRCode.Reveal()})
	}
	code, err := newQRCode(pairing.QRCode.Reveal())
	if err != nil {
		return 0, err
	}
	if drawn == 0 {
		a.note("Scan this code: WhatsApp, Linked devices, Link a device.")
	}
	out := a.env.terminal.out
	if columns := a.columns(); columns > 0 && columns < code.size {
		a.note("The terminal has %d columns and the code needs %d: make it wider, or use --png FILE.", columns, code.size)
		drawn = 0 // broken lines cannot be counted
	}
	picture := code.draw(out && a.env.getenv("NO_COLOR") == "", flags.invert)
	if out && drawn > 0 {
		fmt.Fprintf(a.rawOut, "\x1b[%dA\r", drawn)
	}
	fmt.Fprint(a.rawOut, picture)
	if drawn == 0 {
		a.noteUnless(out, "It is renewed every %d seconds. Ctrl-C ends it.", int(codeLife.Seconds()))
	}
	return strings.Count(picture, "\n"), nil
}

// noteUnless leaves the note out where it would stand under a picture that is
// drawn over.
func (a *app) noteUnless(not bool, format string, args ...any) {
	if !not {
		a.note(format, args...)
	}
}

func (a *app) columns() int {
	if !a.env.terminal.out {
		return 0
	}
	return a.env.terminal.width()
}

// writePNG writes the picture that the service has drawn, for its owner alone.
func writePNG(path string, pairing *ryze.Pairing) error {
	picture := pairing.PNG()
	if len(picture) == 0 {
		return errors.New("the service has sent no picture of the code")
	}
	// A file that is there may have another mode, and is replaced.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, picture, 0o600)
}

func (a *app) connected(info *ryze.Instance) error {
	if a.asJSON {
		return a.jsonLine(connectLine{State: "connected", Number: info.JID.Phone()})
	}
	who := ""
	if info.Profile.Name != "" {
		who = ", " + info.Profile.Name
	}
	a.tell("Connected: %s (%s%s).", info.Name, info.JID.Phone(), who)
	return nil
}
