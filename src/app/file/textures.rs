//! Textures: each picture is uploaded once and kept as long as it may be shown again.

use crate::picture::{Encoded, Rendered, THUMBNAIL};
use crate::sample::Sha256;
use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use std::collections::HashMap;

/// Textures kept. When there are more, all are dropped, and uploaded again when shown.
const KEPT: usize = 2000;

/// A rendering of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    Thumbnail,
    Layout,
    BytePairs,
}

/// A thumbnail that the library keeps, as RGB; `None` if it keeps none, or could not be read.
pub type Stored = (Sha256, Option<Vec<u8>>);

/// Textures by file and rendering.
#[derive(Default)]
pub struct Textures {
    kept: HashMap<(Sha256, Which), Option<TextureHandle>>,
    /// Thumbnails that were read and not drawn yet.
    read: HashMap<Sha256, Option<Vec<u8>>>,
    /// Thumbnails that this frame lacks, by sample and its row id.
    lacking: Vec<(Sha256, i64)>,
}

impl Textures {
    /// The layout planes of a file, or the image itself.
    pub fn layout(&mut self, ctx: &Context, sha256: Sha256, picture: &Encoded) -> Option<TextureHandle> {
        self.get(ctx, sha256, Which::Layout, || Some(Rendered::layout(picture)))
    }

    /// The byte pairs of a file; `None` for an image.
    pub fn byte_pairs(&mut self, ctx: &Context, sha256: Sha256, picture: &Encoded) -> Option<TextureHandle> {
        self.get(ctx, sha256, Which::BytePairs, || Rendered::byte_pairs(picture))
    }

    /// The thumbnail stored in the library, once it is read.
    pub fn stored(&mut self, ctx: &Context, sha256: Sha256, id: i64) -> Option<TextureHandle> {
        let key = (sha256, Which::Thumbnail);
        if let Some(kept) = self.kept.get(&key) {
            return kept.clone();
        }
        let Some(rgb) = self.read.remove(&sha256) else {
            self.lacking.push((sha256, id));
            return None;
        };
        self.get(ctx, sha256, Which::Thumbnail, || Some(Rendered { side: THUMBNAIL, rgb: rgb? }))
    }

    /// The thumbnails that this frame lacks, to be read by a job.
    pub fn take_lacking(&mut self) -> Vec<(Sha256, i64)> {
        std::mem::take(&mut self.lacking)
    }

    /// Takes thumbnails that a job has read.
    pub fn put_stored(&mut self, stored: Vec<Stored>) {
        self.read.extend(stored);
    }

    /// Drops all textures: another library or model may have other pictures of the same samples.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.read.clear();
    }

    fn get(
        &mut self,
        ctx: &Context,
        sha256: Sha256,
        which: Which,
        make: impl FnOnce() -> Option<Rendered>,
    ) -> Option<TextureHandle> {
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        let load = || {
            let rendered = make()?;
            if rendered.rgb.len() != rendered.side * rendered.side * 3 {
                return None;
            }
            let image = ColorImage::from_rgb([rendered.side; 2], &rendered.rgb);
            Some(ctx.load_texture(format!("{which:?} {sha256}"), image, TextureOptions::NEAREST))
        };
        self.kept.entry((sha256, which)).or_insert_with(load).clone()
    }
}
