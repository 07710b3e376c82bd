// Package daemon reads an image from a running container engine, over its API.
package daemon
