//! Which shard a sample is on.

use crate::sample::Sha256;

/// The number of its shard, of so many, from 0: the first two bytes of its hash modulo that.
pub fn number(sha256: Sha256, of: usize) -> usize {
    let [first, second, ..] = sha256.0;
    usize::from(u16::from_be_bytes([first, second])) % of.max(1)
}

/// The same in SQL.
fn number_sql(column: &str, of: usize) -> String {
    format!("(get_byte({column}, 0) * 256 + get_byte({column}, 1)) % {}", of.max(1))
}

/// A condition that follows others: the samples `s` are on none of these shards.
pub fn elsewhere(shards: &[usize], of: usize) -> String {
    if shards.is_empty() {
        return String::new();
    }
    let shards: Vec<String> = shards.iter().map(ToString::to_string).collect();
    format!(" AND {} NOT IN ({})", number_sql("s.sha256", of), shards.join(", "))
}

/// What belongs to samples, by their shards.
pub fn by_shard<T>(all: impl IntoIterator<Item = T>, of: usize, hash: impl Fn(&T) -> Sha256) -> Vec<Vec<T>> {
    let mut found: Vec<Vec<T>> = (0..of).map(|_| Vec::new()).collect();
    for one in all {
        if let Some(shard) = found.get_mut(number(hash(&one), of)) {
            shard.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_evenly() {
        for of in [1, 3, 7, 16] {
            let hashes = (0..70_000_u32).map(|i| Sha256::of(&i.to_le_bytes()));
            let counts: Vec<usize> = by_shard(hashes, of, |sha256| *sha256).iter().map(Vec::len).collect();
            let mean = 70_000 / of;
            assert!(counts.iter().all(|count| count.abs_diff(mean) < mean / 20 + 10), "{counts:?}");
        }
    }
}
