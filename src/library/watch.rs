//! Seeing what others change in a library that is open.

/// A watch of a library.
pub trait Watch: Send {
    /// Whether the library has changed since this was asked last, by this program or another. The first time it has not. A network
    /// may hang here.
    fn has_changed(&mut self) -> bool;

    /// Takes what there is now as seen, where that is known without waiting.
    fn renew(&mut self);
}
