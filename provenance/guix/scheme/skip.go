package scheme

import "unicode"

// skip passes over white space, comments and directives, and says whether the
// text ends there.
func (r *reader) skip() (end bool, err error) {
	for {
		switch c := r.peek(); {
		case c == eof:
			return true, nil
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			_, err = r.next()
		case c == ';':
			err = r.lineComment()
		case r.looksAt("#|"):
			err = r.blockComment()
		case r.looksAt("#;"):
			err = r.datumComment()
		case r.looksAt("#!"):
			err = r.directive()
		default:
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

func (r *reader) lineComment() error {
	for {
		c, err := r.next()
		if err != nil || c == '\n' || c == eof {
			return err
		}
	}
}

// blockComment passes over #| … |#, which nests. A loop and not a recursion
// counts, so depth costs nothing.
func (r *reader) blockComment() error {
	open := r.pos
	for depth := 0; ; {
		switch {
		case r.looksAt("#|"):
			r.drop(2)
			depth++
			continue
		case r.looksAt("|#"):
			r.drop(2)
			if depth--; depth == 0 {
				return nil
			}
			continue
		}
		c, err := r.next()
		if err != nil {
			return err
		}
		if c == eof {
			return errorAt(open, "a comment that nothing closes")
		}
	}
}

// datumComment passes over #; and the datum after it.
func (r *reader) datumComment() error {
	open := r.pos
	r.drop(2)
	if r.depth++; r.depth > r.lim.Depth {
		return &LimitError{open, "levels of nesting", r.lim.Depth}
	}
	defer func() { r.depth-- }()
	end, err := r.skip()
	if err != nil {
		return err
	}
	if end {
		return errorAt(open, "#; with nothing after it")
	}
	_, err = r.datum()
	return err
}

// directive obeys #!r6rs, refuses the other directives and passes over a
// comment of the form #! … !#.
func (r *reader) directive() error {
	open := r.pos
	r.drop(2)
	switch name := r.directiveName(); name {
	case "r6rs":
		r.r6rs = true
		return nil
	case "fold-case", "no-fold-case", "curly-infix", "curly-infix-and-bracket-lists":
		return errorAt(open, "the directive #!%s is not supported", name)
	}
	for !r.looksAt("!#") {
		c, err := r.next()
		if err != nil {
			return err
		}
		if c == eof {
			return errorAt(open, "a comment that nothing closes")
		}
	}
	r.drop(2)
	return nil
}

// directiveName reads the letters, digits and hyphens that follow #!. Without
// a directive's name among them they belong to a comment.
func (r *reader) directiveName() string {
	start := r.off
	for c := r.peek(); c == '-' || unicode.IsLetter(c) || unicode.IsDigit(c); c = r.peek() {
		if _, err := r.next(); err != nil {
			break
		}
	}
	return string(r.src[start:r.off])
}
