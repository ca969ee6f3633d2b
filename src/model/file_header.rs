//! The header of a safetensors file, which is read without the tensors behind it: eight bytes with its length, then JSON.

use safetensors::SafeTensorError;
use safetensors::tensor::Metadata;

/// The crate reads no longer header either.
const MAX_HEADER: usize = 100_000_000;

/// Where the header of a file ends, from the front of the file: eight bytes are enough.
pub fn header_end(front: &[u8]) -> Result<usize, SafeTensorError> {
    let length = u64::from_le_bytes(*front.first_chunk().ok_or(SafeTensorError::HeaderTooSmall)?);
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_HEADER);
    Ok(8 + length.ok_or(SafeTensorError::HeaderTooLarge)?)
}

/// Reads the header of a file of `length` bytes, from a front of the file that has it all.
pub fn read_header(front: &[u8], length: usize) -> Result<Metadata, SafeTensorError> {
    let end = header_end(front)?;
    let json = front.get(8..end).ok_or(SafeTensorError::InvalidHeaderLength)?;
    let header: Metadata =
        serde_json::from_slice(json).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    // What is cut off or appended is damage.
    if end.checked_add(header.data_len()) != Some(length) {
        return Err(SafeTensorError::MetadataIncompleteBuffer);
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;
    use safetensors::tensor::{Dtype, TensorView};
    use std::collections::HashMap;

    #[test]
    fn the_front_of_a_file_is_enough_and_damage_is_an_error() {
        let numbers = [7; 4000];
        let tensor = TensorView::new(Dtype::U8, vec![numbers.len()], &numbers).unwrap();
        let settings = HashMap::from([("key".to_owned(), "value".to_owned())]);
        let file = safetensors::serialize([("numbers", tensor)], Some(settings.clone())).unwrap();
        let end = header_end(&file[..8]).unwrap();
        assert_eq!(end, 8 + SafeTensors::read_metadata(&file).unwrap().0);
        for front in [end, end + 1, file.len()] {
            let header = read_header(&file[..front], file.len()).unwrap();
            assert_eq!(header.metadata().as_ref(), Some(&settings));
        }
        for front in [0, 7, 8, end - 1] {
            assert!(read_header(&file[..front], file.len()).is_err());
        }
        for length in [0, end, file.len() - 1, file.len() + 1] {
            assert!(read_header(&file, length).is_err());
        }
        for first in [[0; 8], [0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0]] {
            let damaged = [&first, &file[8..]].concat();
            assert!(read_header(&damaged, damaged.len()).is_err());
        }
    }
}
