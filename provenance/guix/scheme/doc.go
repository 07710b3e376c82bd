// Package scheme reads and writes Scheme data: the notation in which GNU Guix
// stores profile manifests, provenance and channel files.
//
// It reads what the reader of GNU Guile 3.0 reads with its default options
// (module (ice-9 read)), since that is what Guix reads these files with, and
// it refuses the rest. Nothing is ever evaluated: a form that would make Guile
// run code while it reads (#.) is an error, and so is all syntax that some
// other program could have added to a reader. Two readings of the same bytes
// would be a way to smuggle, so where dialects differ Guile's reading counts:
//
//   - in a string, \x takes exactly two hexadecimal digits (as \u takes four
//     and \U six), and a semicolon after them is a character of its own; after
//     the directive #!r6rs, and always inside #{…}#, it is R6RS's \xH…; ;
//   - | is a letter like any other: |x| is a symbol of three letters;
//   - [ and ] are parentheses.
//
// Arrays other than vectors and bytevectors, complex numbers and the other
// directives are refused: no file of Guix has them.
//
// What the writer prints reads back equal, here and in Guile, and can be
// nothing but data, whatever the values have.
package scheme
