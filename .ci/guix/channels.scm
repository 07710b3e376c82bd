;; The channels from which the sample images were made.
(list (channel
       (name 'guix)
       (url "https://git.guix.gnu.org/guix.git")
       (branch "master")
       (commit "230aa373f315f247852ee07dff34146e9b480aec")
       (introduction
        (make-channel-introduction
         "9edb3f66fd807b096b48283debdcddccfea34bad"
         (openpgp-fingerprint
          "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA"))))
      (channel
       (name 'fixtures)
       (url "https://example.org/fixtures.git")
       (branch "main")
       (commit "488c9a441ca97277bd9cd5c9b2ad0369d17551b1")))
