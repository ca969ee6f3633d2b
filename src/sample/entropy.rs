//! Shannon's entropy of parts of a file, within a limit on the work.

/// Bytes whose entropy is computed, summed over all parts, since parts may overlap.
const MAX_MEASURED: usize = 256 << 20;

/// Computes entropies until the limit on the work is reached.
#[derive(Debug)]
pub struct EntropyMeter {
    left: usize,
}

impl Default for EntropyMeter {
    fn default() -> Self {
        Self { left: MAX_MEASURED }
    }
}

impl EntropyMeter {
    /// One that measures nothing, for who does not need every entropy.
    pub fn off() -> Self {
        Self { left: 0 }
    }

    /// The entropy of `bytes` in bits for each byte, 0 to 8; `None` without bytes or beyond the limit.
    pub fn measure(&mut self, bytes: &[u8]) -> Option<f32> {
        if bytes.is_empty() {
            return None;
        }
        self.left = self.left.checked_sub(bytes.len())?;
        Some(entropy(bytes))
    }
}

fn entropy(bytes: &[u8]) -> f32 {
    // In turn in eight tables: runs of one byte would wait for their own last count.
    let mut tables = [[0_u32; 256]; 8];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        for (table, byte) in tables.iter_mut().zip(word) {
            table[*byte as usize] += 1;
        }
    }
    rest.iter().for_each(|byte| tables[0][*byte as usize] += 1);
    let n = bytes.len() as f64;
    let counts = (0..256).map(|byte| tables.iter().map(|table| u64::from(table[byte])).sum::<u64>());
    let terms = counts.filter(|count| *count > 0).map(|count| count as f64 / n);
    terms.map(|share| -share * share.log2()).sum::<f64>().max(0.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_equals_shannons_definition() {
        assert_eq!(entropy(&[7; 100]), 0.0);
        assert!((entropy(&(0..=255).collect::<Vec<u8>>()) - 8.0).abs() < 1e-6);
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_work_is_limited() {
        let mut meter = EntropyMeter { left: 10 };
        assert!(meter.measure(&[1; 6]).is_some());
        assert_eq!((meter.measure(&[1; 6]), meter.measure(&[])), (None, None));
        assert!(meter.measure(&[1; 4]).is_some());
    }
}
