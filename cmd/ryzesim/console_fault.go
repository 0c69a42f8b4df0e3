package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func faultVerbs() []verb {
	return []verb{
		{"fault", "ROUTE WHAT [TIMES] [DELAY]", "the next requests of a route go wrong", faultDetail, fault},
		{"faults", "clear", "no request goes wrong any more", "", func(c *console, args []string) (string, error) {
			if len(args) != 1 || args[0] != "clear" {
				return "", errUsage
			}
			c.srv.ClearFaults()
			return "", nil
		}},
		{"restart", "", "every connection ends, as when the service is deployed", "", func(c *console, args []string) (string, error) {
			if len(args) > 0 {
				return "", errUsage
			}
			c.srv.Restart()
			return "", nil
		}},
		{"freeze", "on|off", "open streams stay open and carry nothing", "", freeze},
		{"degrade", "CHECK [REASON...]", "GET /health is a 503, until CHECK has no reason", "CHECK is db or s3.", func(c *console, args []string) (string, error) {
			if len(args) == 0 {
				return "", errUsage
			}
			c.srv.Degrade(args[0], strings.Join(args[1:], " "))
			return "", nil
		}},
		{"skew", "[DURATION]...", "how far the clocks of replies run ahead; none: not at all", "", skew},
		{"advance", "DURATION", "move the server's clock forward", "", advance},
	}
}

const faultDetail = `ROUTE is one as the log has it, in quotes ("POST /api/message/text/:instance"), its id (messages.text), or any.
WHAT is one of
  429              the rate limit's refusal            throttled        WhatsApp's refusal, also a 429
  STATUS           an error of the service, such as 503
  proxy            a 502 page of something in front    slow             the answer comes after DELAY
  die              the line dies before the request is carried out
  accept-then-die  the request is carried out, then the line dies
  silent           nothing is answered, nor done       accept-then-silent  it is done, and nothing answered
  half             half of the answer comes
Example: fault messages.text accept-then-die 2`

// faultNamed is the fault that a word means.
func faultNamed(what string) (ryzetest.Fault, bool) {
	switch what {
	case "429":
		return ryzetest.RateLimited(), true
	case "throttled":
		return ryzetest.Throttled(), true
	case "proxy":
		return ryzetest.ProxyPage(http.StatusBadGateway), true
	case "slow":
		return ryzetest.Fault{Delay: 5 * time.Second}, true
	case "die":
		return ryzetest.Fault{Drop: ryzetest.DropAfterRead}, true
	case "accept-then-die":
		return ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, true
	case "silent":
		return ryzetest.Fault{Drop: ryzetest.NeverAnswer}, true
	case "accept-then-silent":
		return ryzetest.Fault{Drop: ryzetest.NeverAnswer, AfterProcess: true}, true
	case "half":
		return ryzetest.Fault{Drop: ryzetest.HalfReply}, true
	}
	status, err := strconv.Atoi(what)
	return ryzetest.Fault{Status: status}, err == nil && status >= 400 && status < 600
}

var faultNames = []string{"429", "throttled", "503", "proxy", "slow", "die", "accept-then-die", "silent", "accept-then-silent", "half"}

func fault(c *console, args []string) (answer string, err error) {
	if len(args) < 2 || len(args) > 4 {
		return "", errUsage
	}
	route := args[0]
	if route == "any" {
		route = "*"
	}
	f, known := faultNamed(args[1])
	if !known {
		return "", fmt.Errorf(`unknown fault %q%s; "help fault" lists them`, args[1], meant(args[1], faultNames))
	}
	f.Times = 1
	for k, arg := range args[2:] {
		if n, err := strconv.Atoi(arg); err == nil && n > 0 && k == 0 {
			f.Times = n
		} else if d, err := time.ParseDuration(arg); err == nil && d >= 0 {
			f.Delay = d
		} else {
			return "", fmt.Errorf("%q is neither a number of times nor a delay, such as 2s", arg)
		}
	}
	defer func() {
		// The server panics on a route that it does not have, and names the nearest.
		if r := recover(); r != nil {
			err = fmt.Errorf("%s", strings.TrimPrefix(fmt.Sprint(r), "ryzetest: "))
		}
	}()
	c.srv.Fault(route, f)
	return fmt.Sprintf("%s: %s, %d times", args[0], args[1], f.Times), nil
}

func freeze(c *console, args []string) (string, error) {
	if len(args) != 1 || args[0] != "on" && args[0] != "off" {
		return "", errUsage
	}
	c.srv.FreezeWebSockets(args[0] == "on")
	return "", nil
}

func skew(c *console, args []string) (string, error) {
	var list durations
	if len(args) > 0 {
		if err := list.Set(strings.Join(args, ",")); err != nil {
			return "", err
		}
	}
	c.srv.SetClockSkew(list...)
	return "", nil
}

func advance(c *console, args []string) (string, error) {
	if len(args) != 1 {
		return "", errUsage
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return "", err
	}
	if d < 0 {
		return "", fmt.Errorf("the clock cannot go back: %s", args[0])
	}
	c.srv.Advance(d)
	return "it is " + c.srv.Now().Format(time.DateTime), nil
}
