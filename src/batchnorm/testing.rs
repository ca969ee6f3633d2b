//! A small network and pictures for tests.

use crate::model::{Init, ModelConfig, Network};
use crate::picture::{Encoded, ImagePlanes, PictureSpec};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Pictures of noise, alternately dark (label 0) and bright (label 1).
pub fn pictures(n: usize) -> (Vec<Encoded>, PictureSpec) {
    let spec = PictureSpec::image(8);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let pictures = (0..n).map(|i| {
        let level = if i % 2 == 0 { 40..140 } else { 110..240 };
        let rgb = (0..8 * 8 * 3).map(|_| rng.random_range(level.clone())).collect();
        Encoded::Image(ImagePlanes::from_rgb(8, rgb).unwrap())
    });
    (pictures.collect(), spec)
}

/// An untrained network with two layers and two labels.
pub fn network(spec: PictureSpec) -> Network {
    Network::new(&config(spec), Init::Default, &mut ChaCha8Rng::seed_from_u64(3)).unwrap()
}

/// Its configuration.
pub fn config(spec: PictureSpec) -> ModelConfig {
    let mut config = ModelConfig::new(spec, vec!["dark".into(), "bright".into()]);
    config.convolutions = vec![(8, 1), (8, 2)];
    config
}
