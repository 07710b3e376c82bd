// Package archive reads a tar that carries an image: its members, which are layers
// and documents, in one pass.
//
// What the members mean is for the packages of the forms to say. Here they are
// read, hashed and found by name, links among them included; what one tool would
// read otherwise than another is a finding.
package archive
