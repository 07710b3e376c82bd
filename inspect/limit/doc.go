// Package limit has the limits on what an image may cost to read, and the errors
// that blame the image and not the machine: [Error] where it goes past a limit,
// [FormatError] where its bytes are not what their form demands, [Absent] where it
// lacks something.
package limit
