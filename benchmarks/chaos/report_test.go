package chaos

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the table of a run: faults by protocol and by what may be repeated.
type report struct {
	rows       []string // in the order of the faults
	byRow      map[string]map[string]*tally
	total      tally
	took       time.Duration
	goroutines int
}

// tally counts a part of the table.
type tally struct {
	calls, requests                           int
	twice, untyped, hangs, wrong, connections int
	again                                     int
}

func (n *tally) add(v *verdict) {
	n.calls++
	n.requests += v.requests
	n.twice += one(v.twice)
	n.untyped += one(v.untyped)
	n.hangs += one(v.hang)
	n.wrong += one(v.wrong)
	n.connections += v.left
	n.again += one(v.again)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

var columns = []string{"HTTP/1.1 reads", "HTTP/1.1 sends", "HTTP/2.0 reads", "HTTP/2.0 sends"}

func (c *cell) column() string {
	if c.op.Repeatable {
		return c.proto + " reads"
	}
	return c.proto + " sends"
}

func newReport(verdicts []*verdict) *report {
	r := &report{byRow: map[string]map[string]*tally{}}
	for _, v := range verdicts {
		row := v.cell.fault.family()
		if *everyRow {
			row = v.cell.fault.name
		}
		if r.byRow[row] == nil {
			r.byRow[row] = map[string]*tally{}
			r.rows = append(r.rows, row)
			for _, column := range columns {
				r.byRow[row][column] = new(tally)
			}
		}
		r.byRow[row][v.cell.column()].add(v)
		r.total.add(v)
	}
	return r
}

// table has a row for each fault. Reads are the operations that may be repeated,
// sends all others; in each part: calls, requests, and how many calls were
// carried out or sent twice (2x), gave an untyped error (ut), hung (hg), or had another outcome
// than the table's (wr).
func (r *report) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, " \t") // a builder takes everything
	for _, column := range columns {
		_, _ = fmt.Fprintf(w, "|\t%s\t%s\t \t \t \t \t", column[:8], column[9:])
	}
	_, _ = fmt.Fprint(w, "\nfault\t"+strings.Repeat("|\tcalls\trequests\t2x\tut\thg\twr\t", len(columns))+"\n")
	for _, row := range r.rows {
		_, _ = fmt.Fprint(w, row+"\t")
		for _, column := range columns {
			n := r.byRow[row][column]
			if n.calls == 0 {
				_, _ = fmt.Fprint(w, "|\t-\t-\t-\t-\t-\t-\t")
				continue
			}
			_, _ = fmt.Fprintf(w, "|\t%d\t%d\t%d\t%d\t%d\t%d\t", n.calls, n.requests, n.twice, n.untyped, n.hangs, n.wrong)
		}
		_, _ = fmt.Fprintln(w)
	}
	_ = w.Flush()
	return b.String()
}

// sum is the line below the table.
func (r *report) sum() string {
	n := r.total
	return fmt.Sprintf("Chaos: %d sends twice, %d untyped errors, %d hangs, %d wrong outcomes, %d leaks in %d calls and %d requests (%v; %d calls were tried again with more patience).",
		n.twice, n.untyped, n.hangs, n.wrong, n.connections+r.goroutines, n.calls, n.requests, r.took.Round(time.Second), n.again)
}
