//! PE files that the tests of this folder build.
