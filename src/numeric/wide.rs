//! The processor's widest vectors, chosen at run time: the program is built for any x86-64, and simple loops
//! are compiled again for AVX2 and AVX-512.

use pulp::{Arch, NullaryFnOnce};

/// Runs a loop with the processor's widest vectors. `work` is a struct and not a closure, so that its `call`
/// can be marked `#[inline(always)]`: only inlined code is compiled for these vectors.
pub fn wide<W: NullaryFnOnce>(work: W) -> W::Output {
    Arch::new().dispatch(Work(work))
}

struct Work<W>(W);

impl<W: NullaryFnOnce> pulp::WithSimd for Work<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> W::Output {
        self.0.call()
    }
}
