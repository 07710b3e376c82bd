package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"audit/rebuild"
	"audit/report"
)

// A progress is one line on a terminal that shows what is going on. Where
// standard error is no terminal there is none: a nil progress shows nothing.
type progress struct {
	w     io.Writer
	width int
}

// newProgress returns the progress line of w, nil when w is no terminal.
func newProgress(w io.Writer) *progress {
	to := w
	if m, ok := w.(rebuild.MaskedWriter); ok {
		to = m.To
	}
	width := terminalWidth(to)
	if width == 0 || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &progress{w: w, width: width}
}

// progressFor is that of a verb, nil with --quiet.
func progressFor(c *cli.Context) *progress {
	if c.Bool("quiet") {
		return nil
	}
	return newProgress(c.App.ErrWriter)
}

// bytes returns a function that shows how much of a reading is done.
func (p *progress) bytes(doing string) func(read, size int64) {
	if p == nil {
		return nil
	}
	return func(read, size int64) {
		if size == 0 {
			p.show(fmt.Sprintf("%s: %d MiB", doing, read>>20))
			return
		}
		p.show(fmt.Sprintf("%s: %d of %d MiB, %d %%", doing, read>>20, size>>20, read*100/size))
	}
}

// count returns a function that shows how many of some things are done.
func (p *progress) count(doing string) func(done, total int) {
	if p == nil {
		return nil
	}
	return func(done, total int) { p.show(fmt.Sprintf("%s: %d of %d", doing, done, total)) }
}

// Write shows the last line of what a builder says.
func (p *progress) Write(text []byte) (int, error) {
	if p != nil {
		lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		p.show(lines[len(lines)-1])
	}
	return len(text), nil
}

// terminalWidth is in columns, 80 where it does not say; 0 of what is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		return 80
	}
	return width
}

// textOptions are those that fit what is written to: colours where they would be seen and
// are wanted (no-color.org), and lines as long as those of the terminal.
func textOptions(c *cli.Context, w io.Writer, folder string) report.TextOptions {
	width := terminalWidth(w)
	return report.TextOptions{
		Folder: folder, Verbose: c.Bool("verbose"), Width: width,
		Color: width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

func (p *progress) show(text string) {
	runes := []rune(report.Printable(text))
	if len(runes) > p.width-1 {
		runes = runes[:p.width-1]
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", string(runes))
}

// clear removes the line.
func (p *progress) clear() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
