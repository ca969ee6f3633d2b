//! A vector as pgvector sends and receives it: the number of its numbers (16 bits), 16 bits of zeros, and each as a 32-bit float,
//! all big-endian (pgvector, `vector_send` and `vector_recv`). One of half precision has 16-bit floats (`halfvec_send`).

use bytes::{BufMut as _, BytesMut};
use half::f16;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use std::error::Error;

/// The numbers of a vector.
#[derive(Debug)]
pub struct Vector(pub Vec<f32>);

impl<'a> FromSql<'a> for Vector {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let (head, numbers) = raw.split_at_checked(4).ok_or("a vector that is cut short")?;
        let (numbers, rest) = numbers.as_chunks::<4>();
        let dimension = head.first_chunk::<2>().map(|head| usize::from(u16::from_be_bytes(*head)));
        if !rest.is_empty() || dimension != Some(numbers.len()) {
            return Err("a vector of another length than it says".into());
        }
        Ok(Self(numbers.iter().map(|bytes| f32::from_be_bytes(*bytes)).collect()))
    }

    fn accepts(of: &Type) -> bool {
        of.name() == "vector"
    }
}

impl ToSql for Vector {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_u16(self.0.len().try_into()?);
        out.put_u16(0);
        self.0.iter().for_each(|number| out.put_f32(*number));
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        of.name() == "vector"
    }

    to_sql_checked!();
}

/// The numbers of a vector that is stored at half precision.
#[derive(Debug)]
pub struct HalfVector(Vec<f16>);

impl HalfVector {
    /// These numbers, rounded.
    pub fn new(numbers: &[f32]) -> Self {
        Self(numbers.iter().map(|number| f16::from_f32(*number)).collect())
    }

    /// The numbers one after the other, big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_bits().to_be_bytes()).collect()
    }
}

impl ToSql for HalfVector {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_u16(self.0.len().try_into()?);
        out.put_u16(0);
        self.0.iter().for_each(|number| out.put_u16(number.to_bits()));
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        of.name() == "halfvec"
    }

    to_sql_checked!();
}
