//! The facts of samples.

use super::fixture::{Kept, hash, library, model};
use super::on_every_engine;
use crate::library::{Batch, Counted, Import};
use crate::model::Embeddings;
use crate::picture::{BytePlanes, Encoded};
use crate::sample::{FileKind, KeptFacts, Sample, TraitSet};

fn sample(number: u8, imports: &[u64]) -> Sample {
    let mut facts = KeptFacts { sha1: [number; 20], md5: [9; 16], ..KeptFacts::default() };
    facts.traits[0] = TraitSet::of(imports.to_vec(), 3);
    Sample {
        path: format!("/{number}").into(),
        label: None,
        sha256: hash(number),
        size: 1,
        kind: FileKind::Pe,
        architecture: None,
        facts: Some(Box::new(facts)),
    }
}

fn samples_are_found_by_digest_and_what_they_share_is_counted(engine: Kept) {
    let (_place, mut library) = library(engine);
    assert_eq!(library.without_facts().unwrap(), 4);
    let samples = [sample(11, &[5, 7]), sample(12, &[5, 8]), sample(13, &[1, 2, 3, 5])];
    let pictures = vec![Encoded::Bytes(BytePlanes::of(b"MZ")); 3];
    let embeddings = Embeddings { dimension: 64, data: vec![0.125; 3 * 64] };
    let batch = Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
    library.add(&model(1), batch, &mut Import::new("/")).unwrap();
    assert_eq!(library.without_facts().unwrap(), 4);
    assert_eq!(library.samples_by_digest(&[12; 20]).unwrap(), [hash(12)]);
    assert_eq!(library.samples_by_digest(&[9; 16]).unwrap(), [hash(11), hash(12), hash(13)]);
    assert!(library.samples_by_digest(&[12; 16]).unwrap().is_empty());
    assert!(library.samples_by_digest(&[12; 3]).unwrap().is_empty());
    assert_eq!(library.facts(hash(12)).unwrap().as_ref(), samples[1].facts.as_deref());
    assert_eq!(library.facts(hash(1)).unwrap(), None);
    let counts = library.count_traits(&[vec![5, 7], vec![], vec![5]], &|| true).unwrap();
    // Of the third it is not known whether it imports 5, which it does not keep.
    assert_eq!(counts[0], [Counted { samples: 2, of: 2 }, Counted { samples: 1, of: 2 }]);
    assert_eq!(counts[2], [Counted { samples: 0, of: 3 }]);
    library.remove(&[hash(12)], "test").unwrap();
    assert!(library.samples_by_digest(&[12; 20]).unwrap().is_empty());
    assert_eq!(
        library.count_traits(&[vec![5], vec![], vec![]], &|| true).unwrap()[0],
        [Counted { samples: 1, of: 1 }]
    );
}

fn known_samples_take_the_facts_that_they_lack(engine: Kept) {
    let (_place, mut library) = library(engine);
    let (known, other) = (sample(2, &[4]), sample(99, &[4]));
    let picture = Encoded::Bytes(BytePlanes::of(b"MZ"));
    let embeddings = Embeddings { dimension: 64, data: vec![0.125; 2 * 64] };
    let stored =
        library.add_embeddings(&model(1), &[&known, &other], &[&picture, &picture], &embeddings).unwrap();
    assert_eq!(stored, 1);
    assert_eq!(library.facts(hash(2)).unwrap(), known.facts.map(|facts| *facts));
    assert_eq!(library.without_facts().unwrap(), 3);
}

on_every_engine!(
    samples_are_found_by_digest_and_what_they_share_is_counted,
    known_samples_take_the_facts_that_they_lack
);
