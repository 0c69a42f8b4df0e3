package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ryzeapi/ryze-go/internal/levenshtein"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// console plays the phone and its customers as its input says, line by line.
type console struct {
	srv     *ryzetest.Server
	log     *lines
	touched func() // is called after each command
}

// verb is one command.
type verb struct {
	name, args string
	summary    string // one line
	detail     string // further lines of "help VERB"; optional
	run        func(c *console, args []string) (string, error)
}

// verbs are all commands, by what they are about.
func verbs() []verb {
	return slices.Concat(writingVerbs(), instanceVerbs(), peopleVerbs(), lookVerbs(), faultVerbs())
}

func newConsole(srv *ryzetest.Server, log *lines, touched func()) *console {
	return &console{srv, log, touched}
}

// maxLine bounds a command, in bytes.
const maxLine = 1 << 20

// read carries out commands until its input ends.
func (c *console) read(in io.Reader) {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxLine)
	for sc.Scan() {
		answer, err := c.execute(sc.Text())
		if err != nil {
			answer = err.Error()
		}
		for line := range strings.SplitSeq(answer, "\n") {
			if line != "" {
				c.log.printf("%s", plain(line))
			}
		}
	}
	if err := sc.Err(); err != nil {
		c.log.printf("The console is closed: %v", err)
	}
}

// execute carries out one line.
func (c *console) execute(line string) (string, error) {
	words, err := splitLine(line)
	if err != nil || len(words) == 0 {
		return "", err
	}
	if words[0] == "help" {
		return help(words[1:])
	}
	v, err := find(words[0])
	if err != nil {
		return "", err
	}
	answer, err := v.run(c, words[1:])
	c.touched()
	if errors.Is(err, errUsage) {
		return "", fmt.Errorf(`wrong arguments: the command is "%s"; see "help %s"`, v.line(), v.name)
	}
	return answer, err
}

var errUsage = errors.New("wrong arguments")

func (v verb) line() string { return strings.TrimSpace(v.name + " " + v.args) }

func find(name string) (verb, error) {
	all := append(verbs(), verb{name: "help"})
	names := make([]string, len(all))
	for k, v := range all {
		if v.name == name {
			return v, nil
		}
		names[k] = v.name
	}
	return verb{}, fmt.Errorf(`unknown command %q%s; "help" lists all`, name, meant(name, names))
}

func help(args []string) (string, error) {
	if len(args) > 1 {
		return "", fmt.Errorf(`wrong arguments: the command is "help [COMMAND]"`)
	}
	var b strings.Builder
	if len(args) == 1 && args[0] != "help" {
		v, err := find(args[0])
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s\n  %s\n", v.line(), v.summary)
		for line := range strings.SplitSeq(v.detail, "\n") {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		return b.String(), nil
	}
	for _, v := range verbs() {
		fmt.Fprintf(&b, "%-46s %s\n", v.line(), v.summary)
	}
	b.WriteString(`A word with blanks stands in quotes: "Ana Lima". "help COMMAND" says more.`)
	return b.String(), nil
}

// splitLine cuts a line into words at blanks. A word that begins with a quote goes to
// the next such quote; in double quotes \n is a new line, and \" and \\ are what they
// show. An apostrophe inside a word is one.
func splitLine(line string) ([]string, error) {
	var list []string
	rest := strings.TrimLeft(line, " \t")
	for rest != "" {
		var word string
		switch quote := rest[0]; quote {
		case '"', '\'':
			var ok bool
			if word, rest, ok = quoted(rest[1:], quote); !ok {
				return nil, fmt.Errorf("the quote %c is not closed", quote)
			}
		default:
			end := strings.IndexAny(rest, " \t")
			if end < 0 {
				end = len(rest)
			}
			word, rest = rest[:end], rest[end:]
		}
		list = append(list, word)
		rest = strings.TrimLeft(rest, " \t")
	}
	return list, nil
}

// quoted reads up to the quote that closes, which must end the word.
func quoted(s string, quote byte) (word, rest string, ok bool) {
	var b strings.Builder
	for k := 0; k < len(s); k++ {
		switch {
		case s[k] == quote && (k+1 == len(s) || s[k+1] == ' ' || s[k+1] == '\t'):
			return b.String(), s[k+1:], true
		case s[k] == '\\' && quote == '"' && k+1 < len(s):
			k++
			if s[k] == 'n' {
				b.WriteByte('\n')
				continue
			}
			if s[k] != '"' && s[k] != '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(s[k])
		default:
			b.WriteByte(s[k])
		}
	}
	return "", "", false
}

// meant asks whether the name is meant that takes the fewest changes to get to. It
// is "" when none comes near.
func meant(name string, names []string) string {
	best, fewest := "", 2*(len(name)/3+1)+1
	for _, known := range names {
		n := 2 * levenshtein.Distance(strings.ToLower(name), strings.ToLower(known))
		if name != "" && strings.HasPrefix(known, strings.ToLower(name)) {
			n = 1
		}
		if n < fewest {
			best, fewest = known, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// instance finds an instance by its name.
func (c *console) instance(name string) (*ryzetest.Instance, error) {
	if i := c.srv.Instance(name); i != nil {
		return i, nil
	}
	var names []string
	for _, i := range c.srv.Instances() {
		names = append(names, i.Name())
	}
	if len(names) == 0 {
		return nil, fmt.Errorf(`no instance %q: there is none yet; "new NAME" makes one`, name)
	}
	return nil, fmt.Errorf("no instance %q%s; there are %s", name, meant(name, names), strings.Join(names, ", "))
}

// onInstance is a command whose first argument is an instance, with at least so many
// further ones.
func onInstance(least int, run func(c *console, i *ryzetest.Instance, args []string) (string, error)) func(*console, []string) (string, error) {
	return func(c *console, args []string) (string, error) {
		if len(args) < 1+least {
			return "", errUsage
		}
		i, err := c.instance(args[0])
		if err != nil {
			return "", err
		}
		return run(c, i, args[1:])
	}
}
