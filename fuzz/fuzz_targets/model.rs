//! Model files: a file that is accepted can embed a picture and be written again.
#![no_main]

use lookalike::job::Reporter;
use lookalike::model::{Model, embed};
use lookalike::picture::{BytePlanes, Encoded, ImagePlanes, PictureKind};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::from_bytes(bytes.to_vec()) {
        // It embeds a picture, or gives an error.
        let spec = model.config.picture;
        let picture = match spec.kind {
            PictureKind::Bytes => Some(Encoded::Bytes(BytePlanes::of(bytes))),
            PictureKind::Image => {
                ImagePlanes::from_rgb(spec.side, vec![7; spec.side * spec.side * 3]).map(Encoded::Image)
            }
        };
        if let (Some(picture), true) = (picture, model.usable().is_ok() && spec.side <= 64) {
            let found = embed(&model.network, model.config.embedding, spec, &[&picture], &Reporter::silent());
            assert!(found.is_err() || found.is_ok_and(|found| found.len() == 1));
        }
        // A model that was read can be written and read again.
        let trace = model.trace.clone();
        let again = Model::new(model.config, model.network, trace).unwrap();
        assert!(Model::from_bytes(again.bytes).is_ok());
    }
});
