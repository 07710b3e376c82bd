;;; audit as a package of GNU Guix, from this checkout:
;;;
;;;   guix build -f .packaging/guix.scm
;;;
;;; The modules of go.sum are taken from a folder that "go mod vendor" has made: a build
;;; of Guix has no network. Any Go of the version in go.mod, or later, will do.

(use-modules (guix packages)
             (guix gexp)
             (guix git-download)
             (guix build-system go)
             ((guix licenses) #:prefix license:)
             (guix utils)
             (gnu packages)
             (gnu packages golang))

(define checkout
  (dirname (dirname (assoc-ref (current-source-location) 'filename))))

(define newest-go
  (let ((found (find-packages-by-name "go")))
    (if (null? found) go (car found))))

(package
  (name "audit")
  (version "0")
  (source (local-file checkout "audit-checkout"
                      #:recursive? #t
                      #:select? (lambda (file stat)
                                  (not (string-suffix? "/.git" file)))))
  (build-system go-build-system)
  (arguments
   (list #:go newest-go
         #:import-path "audit/cmd/audit"
         #:unpack-path "audit"
         #:install-source? #f
         #:tests? #f ; .ci/run has them
         #:phases
         #~(modify-phases %standard-phases
             (replace 'build
               (lambda* (#:key unpack-path #:allow-other-keys)
                 (setenv "CGO_ENABLED" "0")
                 (setenv "GO111MODULE" "on")
                 (with-directory-excursion (string-append "src/" unpack-path)
                   (invoke "go" "build" "-mod=vendor" "-trimpath" "-buildvcs=false"
                           "-ldflags" "-s -w -buildid="
                           "-o" (string-append (getcwd) "/audit") "./cmd/audit"))))
             (replace 'install
               (lambda* (#:key unpack-path #:allow-other-keys)
                 (install-file (string-append "src/" unpack-path "/audit")
                               (string-append #$output "/bin")))))))
  (home-page "https://example.org/audit")
  (synopsis "Verify where a container image came from, and whether it can be built again")
  (description
   "audit reads a container image, finds the recipe that it carries, builds it
again, compares the layers digest by digest, and reports who vouches for its bytes.")
  (license license:asl2.0))
