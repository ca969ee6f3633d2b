//! The models of a library.

use super::fixture::{Kept, add, hash, library, model, shown};
use super::on_every_engine;
use crate::library::{Adopt, LibraryError};
use crate::model::{Init, Model, ModelConfig, Network};
use crate::picture::PictureSpec;
use rand::SeedableRng as _;

fn a_library_keeps_its_models_and_switches_them(engine: Kept) {
    let (_place, mut library) = library(engine);
    let (first, second) = (model(1), model(2));
    add(&mut library, &second, &[(1, None), (2, None)]);
    let listed = library.models().unwrap();
    let names: Vec<_> = listed.iter().map(|model| (&*model.name, model.embedded, model.current)).collect();
    assert_eq!(names, [("Model 1, sets", 4, true), ("Model 2, sets", 2, false)]);
    assert_eq!(listed[0].config.as_ref().unwrap().labels, ["alpha"]);
    assert!(listed[0].added.starts_with("20") && !listed[0].base);

    // It is not adopted while samples would drop out.
    let adopted = library.adopt(second.hash, Adopt::IfComplete).unwrap();
    assert_eq!((adopted.in_use, adopted.lacking, adopted.hidden), (false, 2, 0));
    let lacking: Vec<_> = library.lacking(second.hash).unwrap().into_iter().map(|(hash, _)| hash).collect();
    assert_eq!(lacking, [hash(3), hash(4)]);
    assert_eq!(library.lacks(second.hash, &[hash(1), hash(3)]).unwrap(), [false, true]);
    assert!(library.is_current_model(first.hash).unwrap());
    library.set_current_model(second.hash).unwrap();
    assert_eq!((shown(&library).len(), library.contents().unwrap().others()), (2, 2));
    library.set_current_model(first.hash).unwrap();
    assert_eq!(shown(&library).len(), 4);
    // Removed samples do not count.
    library.remove(&[hash(3), hash(4)], "test").unwrap();
    assert!(library.adopt(second.hash, Adopt::IfComplete).unwrap().in_use);

    library.rename_model(second.hash, " by hand ").unwrap();
    assert_eq!(library.models().unwrap()[1].name, "by hand");
    for taken in ["model 1, sets", " "] {
        assert!(matches!(library.rename_model(second.hash, taken), Err(LibraryError::ModelName { .. })));
    }
    let unknown = library.set_current_model(hash(9)).unwrap_err().to_string();
    assert!(unknown.contains("has no model 0909"), "{unknown}");
    assert_eq!(library.stored_model(second.hash).unwrap().hash, second.hash);
}

fn a_configuration_of_any_length_is_read(engine: Kept) {
    let (_place, mut library) = library(engine);
    let labels: Vec<String> = (0..4000).map(|number| format!("a label with the number {number}")).collect();
    let config = ModelConfig::new(PictureSpec::BYTES, labels.clone());
    let network =
        Network::new(&config, Init::Default, &mut rand_chacha::ChaCha8Rng::seed_from_u64(3)).unwrap();
    library.add_model(&Model::new(config, network, None).unwrap(), "").unwrap();
    let listed = library.models().unwrap();
    assert_eq!(listed[0].config.as_ref().unwrap().labels, ["alpha"]);
    assert_eq!(listed[1].config.as_ref().unwrap().labels, labels);
}

on_every_engine!(a_library_keeps_its_models_and_switches_them, a_configuration_of_any_length_is_read);
