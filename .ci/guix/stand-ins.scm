;;; Puts into the store, at the paths that some derivations want, what these
;;; need and what cannot be built without a network: stand-ins that are made
;;; from the programs of this Debian system.
;;;
;;; usage (root, guix-daemon running): guile stand-ins.scm DRV...
;;;
;;; All programs with the libraries they need go into one store item, the
;;; toolbox. A stand-in is a folder of small scripts that start a program of
;;; the toolbox; it refers to the toolbox, so that the daemon shows both to
;;; builds in their sandbox.

(use-modules (guix build utils)
             (guix build store-copy)
             (guix derivations)
             (guix store)
             (guix store database)
             (guix config)
             ((guix serialization) #:select (restore-file))
             (ice-9 match)
             (ice-9 popen)
             (ice-9 rdelim)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-26))

(define quiet (%make-void-port "w"))
(define libraries "/usr/lib/x86_64-linux-gnu")
(define modules "/usr/share/guile/site/3.0")
(define objects (string-append libraries "/guile/3.0/site-ccache"))

(define (output-lines . command)
  (let* ((port (apply open-pipe* OPEN_READ command))
         (lines (let loop ((lines '()))
                  (match (read-line port)
                    ((? eof-object?) (reverse lines))
                    (line (loop (cons line lines)))))))
    (close-pipe port)
    lines))

(define (copy from to)
  "Copy a file or folder, through symbolic links."
  (mkdir-p (dirname to))
  (if (file-is-directory? from)
      (copy-recursively from to #:log quiet #:follow-symlinks? #t)
      (copy-file from to)))

(define (write-script file . lines)
  (mkdir-p (dirname file))
  (call-with-output-file file
    (lambda (port)
      (for-each (lambda (line) (display line port) (newline port)) lines)))
  (chmod file #o555))


;;;
;;; The toolbox.
;;;

(define programs
  `(("guile" . ,(string-append libraries "/guile/3.0/bin/guile"))
    ("tar" . "/usr/bin/tar")
    ("gzip" . "/usr/bin/gzip")
    ("xz" . "/usr/bin/xz")
    ("zstd" . "/usr/bin/zstd")
    ("install-info" . "/usr/bin/ginstall-info")
    ("mksquashfs" . "/usr/bin/mksquashfs")))

;; Libraries that programs open by name while they run: Guile the first two, and
;; whatever ends a thread the last.
(define opened
  (map (cut string-append libraries "/" <>) '("libgcrypt.so" "libsqlite3.so" "libgcc_s.so.1")))

(define (needed file)
  "Return the libraries that FILE is linked with."
  (filter-map (lambda (line)
                (find (cut string-prefix? "/" <>) (string-tokenize line)))
              (output-lines "ldd" file)))

(define (fill-toolbox dir)
  (define (in . path) (string-join (cons dir path) "/"))
  (for-each (match-lambda ((name . file) (copy file (in "libexec" name)))) programs)
  (for-each (lambda (file) (copy file (in "lib" (basename file))))
            (delete-duplicates
             (append opened (append-map needed (append opened (map cdr programs))))))
  ;; A shell that needs nothing, under two names.
  (copy "/usr/bin/busybox" (in "bin/sh"))
  (copy "/usr/bin/busybox" (in "bin/ln"))
  ;; What Guile and the C library look for when they start.
  (copy (string-append libraries "/guile/3.0/ccache") (in "lib/guile/ccache"))
  (copy "/usr/share/guile/3.0" (in "share/guile"))
  (copy "/usr/lib/locale/C.utf8" (in "lib/locale/C.utf8"))
  (copy "/usr/lib/locale/C.utf8" (in "lib/locale/en_US.utf8"))
  (for-each (lambda (file)
              (copy (string-append libraries "/gconv/" file) (in "lib/gconv" file)))
            '("gconv-modules" "ISO8859-1.so" "UTF-16.so" "UTF-32.so"))
  ;; tar starts compressors with /bin/sh, which a sandbox lacks; it may write
  ;; to /tmp (a name of the same length).
  (invoke "sed" "-i" "s,/bin/sh,/tmp/sh,g" (in "libexec/tar")))

(define toolbox
  (with-store store
    (let ((dir (mkdtemp "/tmp/toolbox-XXXXXX")))
      (fill-toolbox dir)
      (let ((item (add-to-store store "lab-toolbox" #t "sha256" dir)))
        (delete-file-recursively dir)
        item))))

(define (tool . path) (string-append toolbox "/" (string-concatenate path)))

(define (program name . before)
  "Return a procedure that makes a stand-in with the program NAME, which runs
after the shell commands BEFORE."
  (lambda (out)
    (apply write-script (string-append out "/bin/" name)
           (string-append "#!" (tool "bin/sh"))
           `(,@before
             ,(string-append "exec " (tool "lib/ld-linux-x86-64.so.2")
                             " --library-path " (tool "lib")
                             " --argv0 \"$0\" " (tool "libexec/" name) " \"$@\"")))))


;;;
;;; The stand-ins.
;;;

(define guile
  (program "guile"
           (string-append "export GUILE_SYSTEM_PATH=" (tool "share/guile"))
           (string-append "export GUILE_SYSTEM_COMPILED_PATH=" (tool "lib/guile/ccache"))
           (string-append "export GUILE_SYSTEM_EXTENSIONS_PATH=" (tool "lib"))
           (string-append "export GCONV_PATH=" (tool "lib/gconv"))
           (string-append "export LOCPATH=" (tool "lib/locale"))))

(define tar
  (program "tar"
           (string-append "[ -e /tmp/sh ] || " (tool "bin/ln") " -s " (tool "bin/sh") " /tmp/sh")))

(define (guile-library . names)
  "Return a procedure that makes a stand-in with Guile modules of Debian."
  (lambda (out)
    (for-each
     (match-lambda
       ((from to suffix)
        (for-each (lambda (name)
                    (let ((file (string-append name suffix)))
                      (when (file-exists? (string-append from "/" file))
                        (copy (string-append from "/" file)
                              (string-append out to "/" file)))))
                  names)))
     `((,modules "/share/guile/site/3.0" ".scm")
       (,modules "/share/guile/site/3.0" "")
       (,objects "/lib/guile/3.0/site-ccache" ".go")
       (,objects "/lib/guile/3.0/site-ccache" "")))))

(define (edited-library name file pattern replacement)
  "Return a procedure that makes a stand-in with the modules NAME of Debian, of
which one FILE is edited; without object code, which would say the old thing."
  (lambda (out)
    ((guile-library name) out)
    (delete-file-recursively (string-append out "/lib"))
    (let ((file (string-append out "/share/guile/site/3.0/" file)))
      (chmod file #o644)
      (substitute* file ((pattern) replacement)))))

(define (json version)
  ;; Guix writes Docker's files with version 3, for which #nil is JSON's null.
  (if (string-prefix? "3." version)
      (edited-library "json" "json/builder.scm"
                      "\\(eq\\? scm null\\)" "(memq scm (list null #nil))")
      (guile-library "json")))

(define sqlite3
  (edited-library "sqlite3" "sqlite3.scm"
                  "\"[^\"]*/libsqlite3\"" "\"libsqlite3\""))

(define (hello out)
  ;; The program in the sample images, from the archive that was published
  ;; with them.
  (let* ((nar (string-append "publish/nar/gzip/" (basename out)))
         (port (open-pipe* OPEN_READ "gzip" "-dc" nar)))
    (restore-file port out)
    (close-pipe port)))

(define (maker name version)
  "Return the procedure that makes the stand-in for a package, or #f."
  (match name
    ("guile" guile)
    ("guile-gcrypt" (guile-library "gcrypt"))
    ("guile-json" (json version))
    ("guile-sqlite3" sqlite3)
    ("tar" tar)
    ((or "gzip" "xz" "zstd") (program name))
    ("texinfo" (program "install-info"))
    ("squashfs-tools" (program "mksquashfs"))
    ("hello" hello)
    ;; Hooks of profiles name these, and use them only on other packages.
    ((or "glibc-utf8-locales" "man-db" "mkfontdir" "mkfontscale") mkdir-p)
    (_ #f)))

(define (protect out)
  "Give OUT the modes and times that files in the store have."
  (for-each (lambda (file)
              (unless (symbolic-link? file)
                (chmod file (if (zero? (logand #o100 (stat:mode (stat file))))
                                #o444
                                #o555))))
            (find-files out #:directories? #t))
  (reset-timestamps out))

(define (register! db out deriver make references)
  (when (file-exists? out) (delete-file-recursively out))
  (make out)
  (protect out)
  (register-items db (list (store-info out deriver references))
                  #:log-port quiet)
  (format #t "stand-in ~a~%" out))

(define (stand-in! db input)
  "See to it that the outputs of INPUT, a derivation input, can be had: there,
made here, or built from inputs of which the same is true."
  (let ((drv (derivation-input-derivation input)))
    (for-each
     (lambda (out)
       (unless (path-id db out)
         (let-values (((name version)
                       (package-name->name+version (store-path-package-name out))))
           (match (and (not (fixed-output-derivation? drv)) (maker name version))
             (#f
              (when (fixed-output-derivation? drv)
                (error "no stand-in, and no network to fetch" out))
              (for-each (cut stand-in! db <>) (derivation-inputs drv)))
             (make
              (register! db out (derivation-file-name drv) make
                         (if (eq? make hello) '() (list toolbox))))))))
     (derivation-input-output-paths input))))

(define path-id (@@ (guix store database) valid-path-id))

(match (command-line)
  ((_ files ...)
   (with-database (string-append %state-directory "/db/db.sqlite") db
     (for-each (lambda (file)
                 (stand-in! db (derivation-input (read-derivation-from-file file)
                                                 '("out"))))
               files))))
