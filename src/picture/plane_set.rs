//! The plane set: the version of the planes that pictures are made of.

/// Version of the planes. It must be raised whenever the value of any plane of any file changes: models and
/// stored embeddings of another plane set do not match new pictures, and a model file names its own.
pub const PLANE_SET: u32 = 1;
