package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// changelog is CHANGELOG.md, in the format of Keep a Changelog.
type changelog struct {
	head     string
	sections []section // the newest first
	links    []string  // the definitions at the end
}

// section is one version: its heading, and what stands below.
type section struct {
	name string // "Unreleased", or a version without its v
	date string
	body string
}

var (
	heading    = regexp.MustCompile(`^## \[([^]]+)\](?: - (\d{4}-\d\d-\d\d))?$`)
	definition = regexp.MustCompile(`^\[([^]]+)\]: (\S+)$`)
	codeSpan   = regexp.MustCompile("`[^`]+`")
	name       = regexp.MustCompile(`[A-Za-z_]\w*`)
)

const unreleased = "Unreleased"

func parseChangelog(text string) (changelog, error) {
	var c changelog
	for line := range strings.Lines(text) {
		bare := strings.TrimRight(line, "\r\n")
		switch match := heading.FindStringSubmatch(bare); {
		case match != nil:
			c.sections = append(c.sections, section{name: match[1], date: match[2]})
		case strings.HasPrefix(bare, "## "):
			return c, fmt.Errorf("CHANGELOG.md: %q is neither ## [%s] nor ## [1.2.3] - 2006-01-02", bare, unreleased)
		case definition.MatchString(bare):
			c.links = append(c.links, bare)
		case len(c.sections) == 0:
			c.head += line
		default:
			c.sections[len(c.sections)-1].body += line
		}
	}
	for i := range c.sections {
		s := &c.sections[i]
		s.body = strings.TrimSpace(s.body)
		if s.name == unreleased {
			if i > 0 {
				return c, fmt.Errorf("CHANGELOG.md: %s is not the first section", unreleased)
			}
			continue
		}
		if v := "v" + s.name; semver.Canonical(v) != v || s.date == "" {
			return c, fmt.Errorf("CHANGELOG.md: section %q wants a version and a date", s.name)
		}
	}
	return c, nil
}

func (c changelog) String() string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(c.head) + "\n")
	for _, s := range c.sections {
		b.WriteString("\n## [" + s.name + "]")
		if s.date != "" {
			b.WriteString(" - " + s.date)
		}
		b.WriteString("\n")
		if s.body != "" {
			b.WriteString("\n" + s.body + "\n")
		}
	}
	b.WriteString("\n")
	for _, link := range c.links {
		b.WriteString(link + "\n")
	}
	return b.String()
}

// newest is the newest version with a section, with its v, or "".
func (c changelog) newest() string {
	for _, s := range c.sections {
		if s.name != unreleased {
			return "v" + s.name
		}
	}
	return ""
}

// pending is what stands under Unreleased.
func (c changelog) pending() string {
	if len(c.sections) > 0 && c.sections[0].name == unreleased {
		return c.sections[0].body
	}
	return ""
}

// release returns the changelog in which the version has a section, which is made of
// what is unreleased unless it is there already.
func (c changelog) release(version, last, url string, now time.Time) (changelog, string, error) {
	bare := strings.TrimPrefix(version, "v")
	pending := c.pending()
	if c.newest() == version {
		if pending != "" {
			return c, "", fmt.Errorf("CHANGELOG.md: %s has a section, and there is more under %s", version, unreleased)
		}
	} else {
		if pending == "" {
			return c, "", fmt.Errorf("CHANGELOG.md: nothing stands under %s, and %s has no section", unreleased, version)
		}
		made := section{bare, now.Format(time.DateOnly), pending}
		c.sections = append([]section{{name: unreleased}, made}, c.sections[1:]...)
	}
	since := url + "/releases/tag/" + version
	if last != "" {
		since = url + "/compare/" + last + "..." + version
	}
	links := []string{"[" + unreleased + "]: " + url + "/compare/" + version + "...main", "[" + bare + "]: " + since}
	for _, link := range c.links {
		if of := definition.FindStringSubmatch(link)[1]; of != unreleased && of != bare {
			links = append(links, link)
		}
	}
	c.links = links
	for _, s := range c.sections {
		if s.name == bare && s.body != "" {
			return c, s.body, nil
		}
	}
	return c, "", fmt.Errorf("CHANGELOG.md: the section of %s is empty", version)
}

// announced are the names in code that stand under Changed and Removed, in the
// sections that are newer than a version.
func (c changelog) announced(last string) map[string]bool {
	names := make(map[string]bool)
	for _, s := range c.sections {
		if s.name != unreleased && semver.Compare("v"+s.name, last) <= 0 {
			break
		}
		counts := false
		for line := range strings.Lines(s.body) {
			if title, ok := strings.CutPrefix(line, "### "); ok {
				title = strings.TrimSpace(title)
				counts = title == "Changed" || title == "Removed"
			}
			if !counts {
				continue
			}
			for _, span := range codeSpan.FindAllString(line, -1) {
				for _, n := range name.FindAllString(span, -1) {
					names[n] = true
				}
			}
		}
	}
	return names
}
