// Package dockerfile reads Dockerfiles and the shell commands in them, and says
// which instructions cannot make the same bytes again.
//
// [Parse] follows the Dockerfile reference of BuildKit 0.25: parser directives,
// comments, continued lines, flags, here-documents. It is lenient: what it does
// not understand is text, since it judges what was built already.
//
// [Commands] takes shell text apart into simple commands, as far as that can be
// done without running it. It is no shell: it follows quotes, operators,
// command substitutions and nested sh -c, and expands nothing.
package dockerfile
