// Package dockerfile reads Dockerfiles and the shell commands in them, and says
// which instructions cannot make the same bytes again.
//
// [Parse] is BuildKit's own parser (version 0.20: parser directives, comments,
// continued lines, flags, heredocs) under limits, so that what is judged here
// are the instructions that BuildKit runs, and a text that it refuses is an
// error. [Split] is for the lines of a history, which are no Dockerfile.
//
// [Commands] takes shell text apart into simple commands, as far as that can be
// done without running it. It is no shell: it follows quotes, operators,
// command substitutions and nested sh -c, and expands nothing.
package dockerfile
