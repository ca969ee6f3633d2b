//! Adds to the facts of a packed program what is packed in it.

use super::facts::{Program, UnpackedFacts};
use super::sha256::Sha256;
use super::unpack::{UnpackError, Unpacked};

/// The hint of a program that is packed with UPX.
const UPX: &str = "UPX";

/// Adds the result of unpacking a program: the fact and a hint, or the problem.
pub fn add_unpacked(program: &mut Program, result: &Result<Unpacked, UnpackError>) {
    match result {
        Ok(Unpacked { image, how }) => {
            program.unpacked = Some(UnpackedFacts {
                method: how.method.to_owned(),
                size: how.size,
                sha256: Sha256::of(image),
                exact: how.exact,
            });
            let found = program.notes.hints.iter_mut().find(|hint| hint.name == UPX);
            match found {
                Some(hint) => hint.reason = format!("{}; {how}", hint.reason),
                None => program.notes.hint(UPX, how.to_string()),
            }
        }
        Err(error) => {
            program.notes.hint(UPX, "its header");
            program.notes.problem("unpacked", error);
        }
    }
}
